import { SPEECH_STATE_NUMBERS } from '@earshot/audio';
import { CALL_TONE_STATE_NUMBERS } from '@earshot/call-tones';
import { TONE_STATE_NUMBERS } from '@earshot/dtmf';
import { GAP_STATE_NUMBERS } from './gap-reporter.js';

/** What `StreamCheckpoint.version` says of checkpoints made here. */
export const CHECKPOINT_VERSION = 2;

/**
 * Frames before a checkpoint's position that are to be heard again, muted, so that a decoder that
 * begins anew sounds as the one before did when findings go on.
 */
export const WARM_UP_FRAMES = 40;

const GAPS = 3;
const TONES: number = GAPS + GAP_STATE_NUMBERS;
const SPEECH: number = TONES + TONE_STATE_NUMBERS;
const OTHER_TONES: number = SPEECH + SPEECH_STATE_NUMBERS;

interface Places {
  readonly position: number;
  readonly endMs: number;
  /** Findings reported before it, modulo 2^32; of the pipeline that made it, and not stored. */
  readonly findings: number;
  readonly gaps: number;
  readonly tones: number;
  readonly speech: number;
  /** The last, since most streams have none of it: it is left out of what is stored then. */
  readonly otherTones: number;
}

/** Where the numbers of a checkpoint lie in an array of `CHECKPOINT_NUMBERS`. */
export const AT: Places = {
  position: 0,
  endMs: 1,
  findings: 2,
  gaps: GAPS,
  tones: TONES,
  speech: SPEECH,
  otherTones: OTHER_TONES,
};

export const CHECKPOINT_NUMBERS: number = AT.otherTones + CALL_TONE_STATE_NUMBERS;

/** Of what is stored, without other tones and with them. */
const LEAST_STATE_NUMBERS = AT.otherTones - AT.gaps;
const STATE_NUMBERS = CHECKPOINT_NUMBERS - AT.gaps;

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
  /** Of the detectors, and theirs alone; null stands for what was not there. */
  readonly state: readonly (number | null)[];
}

/** Reads what was stored as JSON; undefined for anything but a checkpoint of this version. */
export function parseStreamCheckpoint(value: unknown): StreamCheckpoint | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('version' in value && 'position' in value && 'endMs' in value && 'state' in value)) {
    return undefined;
  }
  const { version, position, endMs, state } = value;
  if (version !== CHECKPOINT_VERSION || !isU32(position) || !isNumberOrNull(endMs)) {
    return undefined;
  }
  if (!Array.isArray(state)) return undefined;
  if (state.length !== STATE_NUMBERS && state.length !== LEAST_STATE_NUMBERS) return undefined;
  const numbers: unknown[] = state;
  if (!numbers.every(isNumberOrNull)) return undefined;
  return { version, position, endMs, state: numbers };
}

/** @param numbers laid out as `AT` says. */
export function checkpointOf(numbers: Float64Array): StreamCheckpoint {
  return {
    version: CHECKPOINT_VERSION,
    position: numbers[AT.position]!,
    endMs: orNull(numbers[AT.endMs]!),
    state: Array.from(numbers.subarray(AT.gaps, endOf(numbers)), orNull),
  };
}

/** The reverse of `checkpointOf`; no findings. */
export function numbersOf({ position, endMs, state }: StreamCheckpoint): Float64Array {
  const numbers = new Float64Array(CHECKPOINT_NUMBERS).fill(Number.NaN);
  numbers.set([position, endMs ?? Number.NaN, 0, ...state.map(orNaN)]);
  return numbers;
}

/** Where other tones begin, when nothing of them is there. */
function endOf(numbers: Float64Array): number {
  for (let at = AT.otherTones; at < CHECKPOINT_NUMBERS; at += 1) {
    if (!Number.isNaN(numbers[at]!)) return CHECKPOINT_NUMBERS;
  }
  return AT.otherTones;
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function orNaN(value: number | null): number {
  return value ?? Number.NaN;
}

function isU32(value: unknown): value is number {
  return typeof value === 'number' && value >>> 0 === value;
}

/** Numbers beyond the whole ones of a double can't be counted on from. */
function isNumberOrNull(value: unknown): value is number | null {
  return (
    value === null || (typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER)
  );
}
