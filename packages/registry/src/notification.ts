/** The body of one callback, as it waits to be handled. */
export interface CallbackBody {
  readonly raw: string;
  /** The unguessable part of the address that it came to; absent in what older versions stored. */
  readonly attemptKey?: string;
  /** The sender's own id of the message (`X-Microsoft-Skype-Message-ID`). */
  readonly messageId?: string;
}

/** A body that could not be handled. */
export interface NotificationAside {
  /** Its beginning, when it is long. Holds names: never log it. */
  readonly raw: string;
  /** Why, stable. */
  readonly code: string;
}

// Not JSON in JSON: a roster is up to a megabyte, and would be written and read twice over.
const SEPARATOR = '\n';

export function toStored({ raw, attemptKey = '' }: CallbackBody): string {
  return attemptKey + SEPARATOR + raw;
}

export function parseStored(stored: string): CallbackBody {
  const end = stored.indexOf(SEPARATOR);
  const attemptKey = stored.slice(0, Math.max(0, end));
  // Older versions stored the body alone, which begins with a bracket.
  if (!/^[\w-]*$/.test(attemptKey) || end < 0) return { raw: stored };
  const raw = stored.slice(end + 1);
  return attemptKey === '' ? { raw } : { raw, attemptKey };
}

export function parseAside(text: string): NotificationAside | undefined {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('raw' in value) || !('code' in value)) return undefined;
  return { raw: String(value.raw), code: String(value.code) };
}
