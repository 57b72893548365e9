import { CodedError } from '@earshot/async';
import type { ModelCode } from './model-code.js';
import { loadModelCode } from './model-code.js';

/** What a process may choose from: `off` is no model, speech is then told by level alone. */
export const SPEECH_MODELS = ['silero', 'off'] as const;

/** One of `SPEECH_MODELS`. */
export type SpeechModelName = (typeof SPEECH_MODELS)[number];

export const DEFAULT_SPEECH_MODEL: SpeechModelName = 'silero';

/** Samples that one probability is about: 32 ms at 16 kHz. */
export const SPEECH_MODEL_WINDOW_SAMPLES = 512;

/** The samples before a window that are heard with it. */
const CONTEXT_SAMPLES = 64;

/** Of the LSTM: what it says, and behind that what it keeps. */
const HIDDEN_WORDS = 128;
const MEMORY_WORDS: number = 2 * HIDDEN_WORDS;

/** What the LSTM keeps grows by 1 a window at most: as a float of 32 bits no further than to here. */
const MOST_KEPT = 2 ** 24;

/** 32-bit words that `save` writes: memory, probability, how much waits, and context with what waits. */
export const SPEECH_MODEL_STATE_WORDS: number =
  MEMORY_WORDS + 2 + (CONTEXT_SAMPLES + SPEECH_MODEL_WINDOW_SAMPLES) / 2;

/**
 * Windows of silence that a stream has heard, as it were, before its first sound. From a state of zeros the
 * model says no to the first 0.2 to 0.4 s of speech; in a recording it is never in that state for long.
 */
const SILENT_WINDOWS = 32;

/** States of the most streams fill no more than a part of a 32-bit memory. */
const MAX_CAPACITY = 20_000;

export interface SpeechModelOptions {
  /** Most streams at once. */
  readonly capacity: number;
}

/** How likely one stream's sound is speech, window by window; state carries from one to the next. */
export interface SpeechModelStream {
  /** Of the last window that `run` took; before the first that of silence, below 0.01. */
  readonly probability: number;
  /** A window is full, and waits for `run`. */
  readonly isDue: boolean;
  /**
   * Adds samples at 16 kHz. A window that is due is taken first: so a stream need not wait for others.
   *
   * @param pcm no more than `SPEECH_MODEL_WINDOW_SAMPLES`
   * @throws RangeError when there are more.
   */
  push(pcm: Int16Array): void;
  /** Forgets all: as good as new, which is as after a second of silence. */
  reset(): void;
  /**
   * Writes all that it knows from `out[at]` on, `SPEECH_MODEL_STATE_WORDS` of them. A window that is
   * due is taken first.
   */
  save(out: Int32Array, at: number): void;
  /** Reads back what `save` wrote; what it can't have written resets it. */
  restore(from: Int32Array, at: number): void;
  /** Gives its place to others; it must not be used afterwards. */
  release(): void;
}

/** The states of many streams, and one model that listens to them together. */
export interface SpeechModel {
  readonly capacity: number;
  readonly inUse: number;
  /** 32-bit words that a stream's `save` writes. */
  readonly stateWords: number;
  /** @throws CodedError `speech_model_exhausted` when `capacity` streams are in use. */
  acquire(): SpeechModelStream;
  /** Takes the windows that are due. What a stream gets does not depend on the others. */
  run(): void;
}

/**
 * Loads Silero VAD v6 for 16 kHz.
 *
 * @throws RangeError when `capacity` is not a whole number from 1 to 20 000.
 */
export function createSpeechModel({ capacity }: SpeechModelOptions): SpeechModel {
  if (!Number.isInteger(capacity) || capacity < 1 || capacity > MAX_CAPACITY) {
    throw new RangeError(
      `Cannot create a speech model: capacity must be a whole number from 1 to ${MAX_CAPACITY}, got ${capacity}`,
    );
  }
  return new SileroModel(capacity);
}

class SileroModel implements SpeechModel {
  readonly capacity: number;
  readonly stateWords: number = SPEECH_MODEL_STATE_WORDS;
  readonly #code: ModelCode;
  readonly #idle: SileroStream[] = [];
  #made = 0;
  /** Streams whose window is full; as far as `#dueCount`. */
  readonly #due: (SileroStream | undefined)[];
  #dueCount = 0;
  /** What a stream knows before its first sound. */
  readonly quiet: Int32Array = new Int32Array(SPEECH_MODEL_STATE_WORDS);

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#code = loadModelCode(capacity);
    this.#due = Array.from({ length: capacity }, () => undefined);
    this.#hearSilence();
  }

  get inUse(): number {
    return this.#made - this.#idle.length;
  }

  acquire(): SpeechModelStream {
    const stream = this.#idle.pop() ?? this.#make();
    stream.reset();
    return stream;
  }

  run(): void {
    const count = this.#dueCount;
    if (count === 0) return;
    const { due } = this.#code;
    for (let i = 0; i < count; i += 1) due[i] = this.#due[i]!.state;
    this.#code.run(count);
    for (let i = 0; i < count; i += 1) {
      this.#due[i]!.duePlace = -1;
      this.#due[i] = undefined;
    }
    this.#dueCount = 0;
  }

  /** A window of the stream is full. */
  note(stream: SileroStream): void {
    if (stream.duePlace >= 0) return;
    stream.duePlace = this.#dueCount;
    this.#due[this.#dueCount] = stream;
    this.#dueCount += 1;
  }

  /** The stream's window is not to be taken. */
  drop(stream: SileroStream): void {
    const place = stream.duePlace;
    if (place < 0) return;
    this.#dueCount -= 1;
    const last = this.#due[this.#dueCount]!;
    this.#due[place] = last;
    last.duePlace = place;
    this.#due[this.#dueCount] = undefined;
    stream.duePlace = -1;
  }

  giveBack(stream: SileroStream): void {
    this.drop(stream);
    this.#idle.push(stream);
  }

  #hearSilence(): void {
    const stream = this.acquire();
    const silence = new Int16Array(SPEECH_MODEL_WINDOW_SAMPLES);
    for (let i = 0; i < SILENT_WINDOWS; i += 1) stream.push(silence);
    stream.save(this.quiet, 0);
    stream.release();
  }

  #make(): SileroStream {
    if (this.#made >= this.capacity) {
      throw new CodedError(
        'speech_model_exhausted',
        `Cannot acquire: at most ${this.capacity} streams may be in use, got a request for one more`,
      );
    }
    const { firstStream, streamBytes } = this.#code;
    const stream = new SileroStream(this, this.#code, firstStream + this.#made * streamBytes);
    this.#made += 1;
    return stream;
  }
}

/** A stream's state in the model's memory, as `Stream` in model.c lays it out. */
class SileroStream implements SpeechModelStream {
  /** Byte offset of the state. */
  readonly state: number;
  /** Among the streams that are due; −1 when it is not. The model's own. */
  duePlace = -1;
  readonly #model: SileroModel;
  readonly #words: Int32Array;
  readonly #memory: Float32Array;
  readonly #probability: Float32Array;
  /** Samples that wait, without the context. */
  readonly #waiting: Int32Array;
  readonly #samples: Int16Array;

  constructor(model: SileroModel, code: ModelCode, state: number) {
    const { memory } = code;
    this.state = state;
    this.#model = model;
    this.#words = new Int32Array(memory, state, SPEECH_MODEL_STATE_WORDS);
    this.#memory = new Float32Array(memory, state, MEMORY_WORDS);
    this.#probability = new Float32Array(memory, state + code.probabilityOffset, 1);
    this.#waiting = new Int32Array(memory, state + code.waitingOffset, 1);
    const samples = CONTEXT_SAMPLES + 2 * SPEECH_MODEL_WINDOW_SAMPLES;
    this.#samples = new Int16Array(memory, state + code.samplesOffset, samples);
  }

  get probability(): number {
    return this.#probability[0]!;
  }

  get isDue(): boolean {
    return this.duePlace >= 0;
  }

  push(pcm: Int16Array): void {
    if (pcm.length > SPEECH_MODEL_WINDOW_SAMPLES) {
      throw new RangeError(
        `Cannot push: at most ${SPEECH_MODEL_WINDOW_SAMPLES} samples at once, got ${pcm.length}`,
      );
    }
    if (this.isDue) this.#model.run();
    const waiting = this.#waiting[0]!;
    this.#samples.set(pcm, CONTEXT_SAMPLES + waiting);
    this.#waiting[0] = waiting + pcm.length;
    if (waiting + pcm.length >= SPEECH_MODEL_WINDOW_SAMPLES) this.#model.note(this);
  }

  reset(): void {
    this.#model.drop(this);
    this.#words.set(this.#model.quiet);
  }

  save(out: Int32Array, at: number): void {
    if (this.isDue) this.#model.run();
    // What lies beyond what waits is of earlier windows.
    this.#samples.fill(0, CONTEXT_SAMPLES + this.#waiting[0]!);
    out.set(this.#words, at);
  }

  restore(from: Int32Array, at: number): void {
    this.reset();
    for (let i = 0; i < SPEECH_MODEL_STATE_WORDS; i += 1) this.#words[i] = from[at + i]!;
    if (!this.#isPossible()) this.reset();
  }

  release(): void {
    this.#model.giveBack(this);
  }

  /** NaN is nothing that can be. */
  #isPossible(): boolean {
    const waiting = this.#waiting[0]!;
    const { probability } = this;
    return (
      waiting >= 0 &&
      waiting < SPEECH_MODEL_WINDOW_SAMPLES &&
      probability >= 0 &&
      probability <= 1 &&
      this.#memory.every((value, n) => Math.abs(value) <= (n < HIDDEN_WORDS ? 1 : MOST_KEPT))
    );
  }
}
