export interface CodedErrorOptions {
  readonly cause?: unknown;
  /** One sentence that tells the reader what to do. */
  readonly fix?: string;
}

/**
 * An error for people and for programs: the message says the action, the rule and the actual
 * value; `code` is stable and documented.
 */
export class CodedError extends Error {
  readonly code: string;
  readonly fix: string | undefined;

  constructor(code: string, message: string, options: CodedErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CodedError';
    this.code = code;
    this.fix = options.fix;
  }
}
