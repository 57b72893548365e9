import { CodedError } from '@earshot/async';
import { ProxyError } from '@earshot/proxy';
import type { RecognizerFault } from './recognizer.js';

/** `retryAfterMs`: the vendor asked not to be called for so long. */
export interface VendorFault extends RecognizerFault {
  readonly retryAfterMs?: number;
}

/** It can't be reached, has too much to do, or broke off. */
export function unavailable(engine: string, rule: string): VendorFault {
  const message = `Cannot recognize with ${engine}: ${rule}`;
  return { code: 'recognizer_unavailable', message, retryable: true };
}

/** It won't have our credentials: trying again is no use, whatever the call. */
export function refused(engine: string, rule: string): VendorFault {
  const message = `Cannot recognize with ${engine}: ${rule}`;
  return { code: 'recognizer_refused', message, retryable: false };
}

/** It won't have what was asked, such as the language or the model: another call may ask for another. */
export function unsuitable(engine: string, rule: string): VendorFault {
  const message = `Cannot recognize with ${engine}: ${rule}`;
  return { code: 'recognizer_unsuitable', message, retryable: false };
}

/** It answered with what this client can't read. */
export function unreadable(engine: string, rule: string): VendorFault {
  const message = `Cannot recognize with ${engine}: ${rule}`;
  return { code: 'recognizer_protocol', message, retryable: true };
}

/** Its results are too late, or it takes sound more slowly than it is spoken. */
export function slow(engine: string, rule: string): VendorFault {
  const message = `Cannot recognize with ${engine}: ${rule}`;
  return { code: 'recognizer_slow', message, retryable: true };
}

/** The proxy before it won't let us through, or can't: the next recognizer may need none. */
export function faultOfProxy(engine: string, { code, status }: ProxyError): VendorFault {
  const got = status === undefined ? 'no answer' : `HTTP ${status}`;
  const message = `Cannot recognize with ${engine}: the proxy must open the way, got ${got}`;
  const isRefused = code === 'proxy_refused';
  const kind = isRefused ? 'recognizer_proxy_refused' : 'recognizer_proxy_unavailable';
  return { code: kind, message, retryable: !isRefused };
}

/** Whether another try, after a while, may work, by the code of a fault. */
export function isRetryable(code: string): boolean {
  return RETRYABLE.has(code);
}

const RETRYABLE = new Set([
  'recognizer_unavailable',
  'recognizer_proxy_unavailable',
  'recognizer_slow',
]);

/** Who we are, and whether we pay. */
const CREDENTIAL_STATUSES = new Set([401, 402, 403]);

/** What an HTTP status other than success means. */
export function faultOfStatus(engine: string, status: number): VendorFault {
  // Services never answer so.
  if (status === 407) return faultOfProxy(engine, new ProxyError(status));
  const rule = `the service must accept the request, got HTTP ${status}`;
  const passes = status === 408 || status === 409 || status === 429 || status >= 500;
  if (passes) return unavailable(engine, rule);
  return CREDENTIAL_STATUSES.has(status) ? refused(engine, rule) : unsuitable(engine, rule);
}

/**
 * Close codes by which a vendor says that it won't have what it is sent, as Azure's SDK counts them
 * (ServiceRecognizerBase: 1002, 1003, 1007, 4000), and 1008, Deepgram's for sound that it can't decode.
 */
const REFUSING_CLOSES = new Set([1002, 1003, 1007, 1008, 4000]);

/** What it means that a connection was closed by the vendor. */
export function faultOfClose(engine: string, code: number): VendorFault {
  const rule = `the service must not hang up, got close code ${code}`;
  return REFUSING_CLOSES.has(code) ? unsuitable(engine, rule) : unavailable(engine, rule);
}

/** How long to wait by a `Retry-After` header, ms; 0 when there is none. Its date form counts as none. */
export function retryAfterMs(header: string | null | undefined): number {
  if (header === null || header === undefined || !/^\d+$/.test(header.trim())) return 0;
  return Math.min(Number(header.trim()), 300) * 1000;
}

const FIXES: Record<string, string> = {
  recognizer_refused: 'Check the key and region of this recognizer, and that its account is paid.',
  recognizer_unsuitable: 'Check the model and the language that this recognizer is asked for.',
  recognizer_unavailable: 'Check that the service can be reached from here, then try again.',
  recognizer_proxy_refused: 'Check the credentials of the proxy, and that it allows this service.',
  recognizer_proxy_unavailable: 'Check the proxy, or name the service in NO_PROXY.',
};

export function errorOfFault({ code, message }: RecognizerFault): CodedError {
  const fix = FIXES[code];
  return new CodedError(code, message, fix === undefined ? {} : { fix });
}

/** What opening a recognizer that was closed rejects with. */
export function closedError(engine: string): CodedError {
  const rule = `Cannot recognize with ${engine}: it must not be closed`;
  return new CodedError('recognizer_unavailable', rule);
}
