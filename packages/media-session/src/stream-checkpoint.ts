import { CALL_TONE_STATE_NUMBERS } from '@earshot/call-tones';
import { TONE_STATE_NUMBERS } from '@earshot/dtmf';
import { base64ToWords, isBase64Words, wordsToBase64 } from './base64-words.js';
import { GAP_STATE_NUMBERS } from './gap-reporter.js';
import { SPEECH_MODEL_WORDS } from './ports.js';
import { STREAM_SPEECH_NUMBERS } from './stream-speech.js';

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
const OTHER_TONES: number = SPEECH + STREAM_SPEECH_NUMBERS;

interface Places {
  readonly position: number;
  readonly endMs: number;
  /** Findings reported before it, modulo 2^32; of the pipeline that made it, and not stored. */
  readonly findings: number;
  readonly gaps: number;
  readonly tones: number;
  readonly speech: number;
  /** The last of the state, since most streams have none of it: it is left out of what is stored then. */
  readonly otherTones: number;
  /** The words of the speech model's stream, two a number, which is none. */
  readonly model: number;
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
  model: OTHER_TONES + CALL_TONE_STATE_NUMBERS,
};

export const CHECKPOINT_NUMBERS: number = AT.model + SPEECH_MODEL_WORDS / 2;

/** Media time is of u64 ticks of 100 ns, ms; nothing else in a checkpoint comes near. */
const GREATEST = 2 ** 64 / 10_000;

/** Of what is stored, without other tones and with them. */
const LEAST_STATE_NUMBERS = AT.otherTones - AT.gaps;
const STATE_NUMBERS = AT.model - AT.gaps;

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
  /** Of the speech model: its words in base64, empty while it does not hear the stream. */
  readonly model: string;
}

/** The words of the speech model in numbers laid out as `AT` says: the same memory. */
export function modelWordsOf(numbers: Float64Array): Int32Array {
  return new Int32Array(numbers.buffer, numbers.byteOffset + AT.model * 8, SPEECH_MODEL_WORDS);
}

/**
 * Reads what was stored as JSON; undefined for anything but a checkpoint of this version, and for a
 * number that no media clock can show. Of the rest each detector believes what can be true.
 */
export function parseStreamCheckpoint(value: unknown): StreamCheckpoint | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('version' in value && 'position' in value && 'endMs' in value)) return undefined;
  if (!('state' in value && 'model' in value)) return undefined;
  const { version, position, endMs, state, model } = value;
  if (version !== CHECKPOINT_VERSION || !isU32(position) || !isNumberOrNull(endMs)) {
    return undefined;
  }
  if (!Array.isArray(state)) return undefined;
  if (state.length !== STATE_NUMBERS && state.length !== LEAST_STATE_NUMBERS) return undefined;
  const numbers: unknown[] = state;
  if (!numbers.every(isNumberOrNull)) return undefined;
  if (typeof model !== 'string' || !isBase64Words(model, SPEECH_MODEL_WORDS)) return undefined;
  return { version, position, endMs, state: numbers, model };
}

/** @param numbers laid out as `AT` says. */
export function checkpointOf(numbers: Float64Array): StreamCheckpoint {
  return {
    version: CHECKPOINT_VERSION,
    position: numbers[AT.position]!,
    endMs: orNull(numbers[AT.endMs]!),
    state: stateOf(numbers),
    model: wordsToBase64(modelWordsOf(numbers)),
  };
}

/** The reverse of `checkpointOf`; no findings. */
export function numbersOf({ position, endMs, state, model }: StreamCheckpoint): Float64Array {
  const numbers = new Float64Array(CHECKPOINT_NUMBERS).fill(Number.NaN);
  numbers.set([position, endMs ?? Number.NaN, 0, ...state.map(orNaN)]);
  base64ToWords(model, modelWordsOf(numbers));
  return numbers;
}

function stateOf(numbers: Float64Array): (number | null)[] {
  const state: (number | null)[] = [];
  for (let at = AT.gaps, end = endOf(numbers); at < end; at += 1) state.push(orNull(numbers[at]!));
  return state;
}

/** Where the state ends: before other tones, when nothing of them is there. */
function endOf(numbers: Float64Array): number {
  for (let at = AT.otherTones; at < AT.model; at += 1) {
    if (!Number.isNaN(numbers[at]!)) return AT.model;
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

function isNumberOrNull(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && Math.abs(value) <= GREATEST);
}
