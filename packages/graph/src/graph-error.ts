import type { CodedErrorOptions } from '@earshot/async';
import { CodedError } from '@earshot/async';

export interface GraphErrorDetails {
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** Graph's own `error.code`. */
  readonly graphCode: string | undefined;
  /** Result code of the calls API, when the message or code carries one. */
  readonly resultCode: number | undefined;
  /** Result subcode of the calls API, such as 7504. */
  readonly subcode: number | undefined;
  /** How long Graph asked to wait. */
  readonly retryAfterMs: number | undefined;
  /** Graph's `request-id`, for Microsoft's support. */
  readonly requestId: string | undefined;
  /** Our own id of the request, which Graph logs too. */
  readonly clientRequestId: string | undefined;
  /** Graph's `x-ms-ags-diagnostic`: which of its servers answered. */
  readonly diagnostic: string | undefined;
  /** The request may have been carried out although no success was answered. */
  readonly mayHaveHappened: boolean;
}

/**
 * Graph refused a request, or did not answer.
 *
 * Codes: `graph_refused` (4xx), `graph_throttled` (429), `graph_failed` (5xx),
 * `graph_timeout`, `graph_unreachable`, `graph_answer_unreadable`, `graph_request_invalid`,
 * `needs_service_hosted_media`, `needs_app_hosted_media` (these three: nothing was sent), `graph_token_refused`,
 * `graph_token_unavailable`.
 */
export class GraphError extends CodedError {
  readonly status: number;
  readonly graphCode: string | undefined;
  readonly resultCode: number | undefined;
  readonly subcode: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly requestId: string | undefined;
  readonly clientRequestId: string | undefined;
  readonly diagnostic: string | undefined;
  readonly mayHaveHappened: boolean;

  constructor(
    code: string,
    message: string,
    details: Partial<GraphErrorDetails> = {},
    options: CodedErrorOptions = {},
  ) {
    super(code, message, options);
    this.name = 'GraphError';
    this.status = details.status ?? 0;
    this.graphCode = details.graphCode;
    this.resultCode = details.resultCode;
    this.subcode = details.subcode;
    this.retryAfterMs = details.retryAfterMs;
    this.requestId = details.requestId;
    this.clientRequestId = details.clientRequestId;
    this.diagnostic = details.diagnostic;
    this.mayHaveHappened = details.mayHaveHappened ?? false;
  }
}
