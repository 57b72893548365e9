/** What `StreamCheckpoint.version` says of checkpoints made here. */
export const CHECKPOINT_VERSION = 1;

/**
 * Frames before a checkpoint's position that are to be heard again, muted, so that a decoder that
 * begins anew sounds as the one before did when findings go on.
 */
export const WARM_UP_FRAMES = 25;

/** Numbers of `StreamCheckpoint.state`. */
export const CHECKPOINT_STATE_NUMBERS = 54;

/**
 * Where findings of a stream go on, and what its detectors knew there: with it another pipeline, on
 * another machine too, finds what this one would have found. Plain JSON.
 */
export interface StreamCheckpoint {
  readonly version: typeof CHECKPOINT_VERSION;
  /** Sequence number of the next frame to be heard, u32: all findings before it were reported. */
  readonly position: number;
  /** End of the last frame before it, ms on the call's media clock; null when there was none. */
  readonly endMs: number | null;
  /** Of the pipeline alone; null stands for what was not there. */
  readonly state: readonly (number | null)[];
}

/** Reads what was stored as JSON; undefined for anything but a checkpoint of this version. */
export function parseStreamCheckpoint(value: unknown): StreamCheckpoint | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('version' in value && 'position' in value && 'endMs' in value && 'state' in value)) {
    return undefined;
  }
  const { version, position, endMs, state } = value;
  if (version !== CHECKPOINT_VERSION || !isU32(position) || !isFiniteOrNull(endMs)) {
    return undefined;
  }
  if (!Array.isArray(state) || state.length !== CHECKPOINT_STATE_NUMBERS) return undefined;
  const numbers: unknown[] = state;
  if (!numbers.every(isFiniteOrNull)) return undefined;
  return { version, position, endMs, state: numbers };
}

function isU32(value: unknown): value is number {
  return typeof value === 'number' && value >>> 0 === value;
}

function isFiniteOrNull(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && Number.isFinite(value));
}
