import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';

/** Before the base64 of every secret, as Standard Webhooks writes them. */
const SECRET_PREFIX = 'whsec_';
const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;
/** What is proved by a signature of this version: HMAC-SHA256 over `id.timestamp.body`. */
const VERSION = 'v1';
/** A header with more signatures than any rotation makes is no header of ours. */
const MAX_SIGNATURES = 10;

/** @defaultValue of `VerifyOptions.toleranceMs`: 5 minutes. */
export const DEFAULT_TOLERANCE_MS = 300_000;

/** A delivery whose signature holds. */
export interface VerifiedWebhook {
  /** The same for every attempt of the same message: drop what you have seen. */
  readonly id: string;
  /** When this attempt was signed, Unix time in ms. */
  readonly timestampMs: number;
}

export interface VerifyOptions {
  /** Of the request, names in lower case, as node and fastify give them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** As received, byte for byte, before any parsing. */
  readonly body: string | Uint8Array;
  /** `whsec_…`; several while one takes the place of another. */
  readonly secret: string | readonly string[];
  /** How far the sender's clock may be from ours, ms. @defaultValue 300 000 */
  readonly toleranceMs?: number;
  readonly clock: Clock;
}

/** A new secret with 256 bits of chance. */
export function generateSecret(): string {
  return SECRET_PREFIX + randomBytes(32).toString('base64');
}

/**
 * Checks that a text is a secret: `whsec_` and 24 to 64 bytes in base64.
 *
 * @throws CodedError `invalid_secret`; the message doesn't show it.
 */
export function checkSecret(secret: string): string {
  keyOf(secret);
  return secret;
}

/** The three headers that prove a message, signed with each secret. */
export function signatureHeaders(
  message: { readonly id: string; readonly body: string; readonly timestampMs: number },
  secrets: readonly string[],
): Record<string, string> {
  const timestamp = String(Math.floor(message.timestampMs / 1000));
  const bytes = Buffer.from(message.body);
  return {
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets
      .map((secret) => `${VERSION},${mac(secret, message.id, timestamp, bytes).toString('base64')}`)
      .join(' '),
  };
}

/**
 * Checks that a request is a delivery of the holder of the secret, and fresh.
 *
 * @throws CodedError `webhook_headers_missing`, `webhook_timestamp_invalid`,
 * `webhook_timestamp_out_of_tolerance`, `webhook_signature_mismatch`; `invalid_secret`.
 */
export function verifyWebhook(options: VerifyOptions): VerifiedWebhook {
  const { body, secret, clock, toleranceMs = DEFAULT_TOLERANCE_MS } = options;
  const id = header(options, 'webhook-id');
  const timestamp = header(options, 'webhook-timestamp');
  const given = signaturesIn(header(options, 'webhook-signature'));
  if (!/^\d{1,11}$/.test(timestamp)) {
    throw new CodedError(
      'webhook_timestamp_invalid',
      'Cannot accept the webhook: webhook-timestamp must be Unix time in seconds, got another text',
    );
  }
  const secrets = typeof secret === 'string' ? [secret] : secret;
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const expected = secrets.map((each) => mac(each, id, timestamp, bytes));
  // All are compared, so that the time tells nothing of which one was close.
  let isSigned = false;
  for (const mine of expected) {
    for (const theirs of given) isSigned = isEqual(mine, theirs) || isSigned;
  }
  if (!isSigned) {
    throw new CodedError(
      'webhook_signature_mismatch',
      "Cannot accept the webhook: a v1 signature must be made with the webhook's secret, got none such",
    );
  }
  const timestampMs = Number(timestamp) * 1000;
  const offMs = Math.abs(clock.wallclockMs() - timestampMs);
  if (offMs > toleranceMs) {
    throw new CodedError(
      'webhook_timestamp_out_of_tolerance',
      `Cannot accept the webhook: it must be signed within ${toleranceMs} ms of now, got ${offMs} ms`,
    );
  }
  return { id, timestampMs };
}

function header({ headers }: VerifyOptions, name: string): string {
  const value = headers[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new CodedError(
    'webhook_headers_missing',
    `Cannot accept the webhook: it must carry the header ${name} once, got none or several`,
  );
}

function signaturesIn(text: string): Buffer[] {
  return text
    .split(' ', MAX_SIGNATURES)
    .filter((part) => part.startsWith(`${VERSION},`))
    .map((part) => Buffer.from(part.slice(VERSION.length + 1), 'base64'));
}

function mac(secret: string, id: string, timestamp: string, body: Uint8Array): Buffer {
  return createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.`).update(body).digest();
}

function isEqual(mine: Uint8Array, theirs: Uint8Array): boolean {
  return mine.byteLength === theirs.byteLength && timingSafeEqual(mine, theirs);
}

function keyOf(secret: string): Buffer {
  const text = secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : '';
  const key = Buffer.from(text, 'base64');
  const isCanonical = key.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '');
  if (isCanonical && key.byteLength >= MIN_SECRET_BYTES && key.byteLength <= MAX_SECRET_BYTES) {
    return key;
  }
  throw new CodedError(
    'invalid_secret',
    `Cannot use the secret: it must be ${SECRET_PREFIX} and ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes in base64, got another text`,
  );
}
