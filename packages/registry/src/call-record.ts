import { CodedError } from '@earshot/async';
import type { CallModel } from '@earshot/call';

/** Everything that the signaling pods share about one call; plain JSON. */
export interface CallRecord {
  readonly callId: string;
  /** Grows by one with each change; the registry sets it. */
  readonly version: number;
  /** Unix time, ms. */
  readonly createdAtMs: number;
  /** Absent for a call that came in. May hold a passcode: never log it. */
  readonly joinUrl?: string;
  readonly tenantId: string;
  /** The media host that joined, and its name for the media session. */
  readonly hostId?: string;
  readonly mediaId?: string;
  /** The unguessable part of the callback URL of the present attempt. */
  readonly attemptKey: string;
  readonly model: CallModel;
  /** Position of the next event with source `signaling`. */
  readonly signalingPosition: number;
  /** The media worker placed last, and the epoch it was placed with. */
  readonly workerId?: string;
  readonly epoch?: number;
  /** Unix time, ms; set once the call has ended and all is cleared up. */
  readonly endedAtMs?: number;
  /** True when something came to light after that, which remains to be done. */
  readonly reopened?: boolean;
  /** Whatever the service wants to keep beside; stored as it is. */
  readonly service?: unknown;
}

/** Nothing remains to be done for the call. */
export function isCallOver({ endedAtMs, reopened = false }: CallRecord): boolean {
  return endedAtMs !== undefined && !reopened;
}

/** @throws CodedError `corrupt_call_record`. */
export function parseCallRecord(text: string): CallRecord {
  const value: unknown = JSON.parse(text);
  if (isCallRecord(value)) return value;
  throw new CodedError(
    'corrupt_call_record',
    'Cannot read a call: its record must have an id, a version and a model, got another object',
  );
}

function isCallRecord(value: unknown): value is CallRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    'callId' in value &&
    typeof value.callId === 'string' &&
    'version' in value &&
    typeof value.version === 'number' &&
    'attemptKey' in value &&
    typeof value.attemptKey === 'string' &&
    'model' in value &&
    typeof value.model === 'object'
  );
}
