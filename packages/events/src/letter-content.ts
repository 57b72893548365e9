import { CodedError } from '@earshot/async';
import { CONTENT_TYPES } from './event.js';
import { parseEvent } from './event-schema.js';

/** How long after it was heard a host may give audio once more, so that it is found once more. */
const REPLAY_MS = 30_000;
/** Of the envelope; the rest may hold names, or what people said or keyed. */
const KEPT_FIELDS = [
  ...(['version', 'id', 'type', 'callId', 'epoch', 'source', 'position'] as const),
  ...(['mediaTimeMs', 'wallclock', 'sourceId'] as const),
];
/** A name or a time, in what is no valid event too. */
const PLAIN = /^[\w.:!/+-]{1,200}$/;
/** Codes of errors of ours, whose messages repeat nothing of the event. */
const OWN_CODES: ReadonlySet<string> = new Set([
  'invalid_event',
  'wrong_partition',
  'consumer_killed',
]);

/** What may be kept only with leave of a call's recording gate. */
export interface Content {
  /** Undefined when nobody can tell: no gate gives leave then. */
  readonly callId: string | undefined;
  /** When it was said or keyed, Unix ms; rather too early than too late. */
  readonly beganAtMs: number;
}

/**
 * The content of an event, and of what is no valid event, or of a newer type: nobody knows what that
 * holds. Undefined when there is none.
 */
export function contentOf(value: unknown): Content | undefined {
  if (isWithoutContent(value)) return undefined;
  const { callId, wallclock, mediaTimeMs, data } = fieldsOf(value);
  const { startMs } = fieldsOf(data);
  const foundAtMs = typeof wallclock === 'string' ? Date.parse(wallclock) : Number.NaN;
  const areOnClock = typeof mediaTimeMs === 'number' && typeof startMs === 'number';
  const ageMs = areOnClock ? Math.max(0, mediaTimeMs - startMs) : 0;
  return {
    callId: typeof callId === 'string' && PLAIN.test(callId) ? callId : undefined,
    beganAtMs: Number.isFinite(foundAtMs) ? Math.floor(foundAtMs - ageMs - REPLAY_MS) : 0,
  };
}

/** Which event it is, and nothing of what it tells. */
export function withoutContent(value: unknown): Record<string, unknown> {
  const fields = fieldsOf(value);
  const kept: Record<string, unknown> = {};
  for (const name of KEPT_FIELDS) {
    const field = fields[name];
    const isPlain = typeof field === 'string' ? PLAIN.test(field) : typeof field === 'number';
    if (isPlain) kept[name] = field;
  }
  return kept;
}

/** What kind of error it was, and where: its message may repeat what the event holds. */
export function errorWithoutContent(error: unknown): { error: string; stack?: string } {
  if (!(error instanceof Error)) return { error: typeof error };
  if (error instanceof CodedError && OWN_CODES.has(error.code)) return { error: error.message };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  const header = `${error.name}: ${error.message}\n`;
  const { stack = '' } = error;
  return {
    error: PLAIN.test(code) ? code : 'Error',
    ...(stack.startsWith(header) && { stack: stack.slice(header.length) }),
  };
}

function isWithoutContent(value: unknown): boolean {
  try {
    return !CONTENT_TYPES.has(parseEvent(value).type);
  } catch {
    return false;
  }
}

/** The fields of what may be anything: none of what is no object. */
export function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
