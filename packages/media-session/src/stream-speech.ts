import type { SpeechTransition } from '@earshot/audio';
import {
  ADMIT,
  CONFIRMED_SPEECH_STATE_NUMBERS,
  ConfirmedSpeech,
  PTIME_MS,
  SILENCE_DBFS,
  SPEECH_STATE_NUMBERS,
  SpeechActivity,
} from '@earshot/audio';
import type { SpeechModel, SpeechModelStream } from './ports.js';
import { SPEECH_MODEL_WORDS } from './ports.js';

/** Numbers that `StreamSpeech.save` writes beside the model's words: who wrote them comes last. */
export const STREAM_SPEECH_NUMBERS: number =
  Math.max(SPEECH_STATE_NUMBERS, CONFIRMED_SPEECH_STATE_NUMBERS) + 1;

const WRITER_AT: number = STREAM_SPEECH_NUMBERS - 1;
const BY_LEVEL = 0;
const BY_MODEL = 1;

/** What any writer begins with: speaking, its start, the end of what was last heard. */
const COMMON_NUMBERS = 3;

/**
 * The speech of one stream: by its level alone, or by a model that hears what may be speech. A frame
 * that fills a window of the model is stepped only once the model has run: by `settle`, or by whatever
 * comes next, so that the windows of many streams may be taken by one call and none depends on it.
 */
export class StreamSpeech {
  readonly #byLevel: SpeechActivity | undefined;
  readonly #byModel: ConfirmedSpeech | undefined;
  readonly #model: SpeechModel | undefined;
  readonly #onTransition: (transition: SpeechTransition) => void;
  /** Taken when the gate first opens: most streams are never heard. */
  #heard: SpeechModelStream | undefined;
  /** What `hear` was given. */
  #givenMs = Number.NaN;
  #givenLevelDbfs = Number.NaN;
  /** A frame waits for the model. */
  #isDeferred = false;

  /** @param model absent: by level alone */
  constructor(
    model: SpeechModel | undefined,
    onTransition: (transition: SpeechTransition) => void,
  ) {
    this.#model = model;
    this.#onTransition = onTransition;
    if (model === undefined) this.#byLevel = new SpeechActivity();
    else this.#byModel = new ConfirmedSpeech();
    if (model !== undefined && model.stateWords > SPEECH_MODEL_WORDS) {
      throw new RangeError(
        `Cannot hear speech: the model's state must have at most ${SPEECH_MODEL_WORDS} words, got ${model.stateWords}`,
      );
    }
  }

  get speaking(): boolean {
    return this.#byLevel?.speaking ?? this.#byModel?.speaking ?? false;
  }

  /** Start of the talkspurt that goes on, or of the last one. */
  get startMs(): number {
    return this.#byLevel?.startMs ?? this.#byModel?.startMs ?? 0;
  }

  /**
   * Takes a frame of sound, 20 ms.
   *
   * @param tone true while a tone is, or may be, sounding
   * @param voiced false when the encoder says that there is no voice in it
   * @param pcm borrowed for the call
   */
  hear(
    mediaTimeMs: number,
    levelDbfs: number,
    tone: boolean,
    voiced: boolean,
    pcm: Int16Array,
  ): void {
    // Handed on in fields: small enough to be inlined, so that V8 need not box the numbers.
    this.#givenMs = mediaTimeMs;
    this.#givenLevelDbfs = levelDbfs;
    this.#hear(tone, voiced, pcm);
  }

  #hear(tone: boolean, voiced: boolean, pcm: Int16Array): void {
    const byModel = this.#byModel;
    if (byModel === undefined) {
      this.#tell(this.#byLevel?.step(this.#givenMs, PTIME_MS, this.#givenLevelDbfs, tone));
      return;
    }
    this.settle();
    const admit = byModel.hear(this.#givenMs, PTIME_MS, this.#givenLevelDbfs, tone, voiced);
    if (admit === ADMIT.closed) {
      this.#tell(byModel.confirm(Number.NaN));
      return;
    }
    this.#heard ??= this.#model?.acquire();
    if (admit === ADMIT.opened) this.#heard?.reset();
    this.#heard?.push(pcm);
    this.#isDeferred = true;
    if (this.#heard?.isDue !== true) this.settle();
  }

  /** Takes a stretch of silence, or of what was lost, after which a tone may go on. */
  pass(mediaTimeMs: number, durationMs: number, tone: boolean): void {
    this.settle();
    if (this.#byModel !== undefined) this.#tell(this.#byModel.pass(mediaTimeMs, durationMs));
    else this.#tell(this.#byLevel?.step(mediaTimeMs, durationMs, SILENCE_DBFS, tone));
  }

  /** Lets out what the newest window brings about. */
  settle(): void {
    if (!this.#isDeferred) return;
    this.#isDeferred = false;
    const heard = this.#heard;
    if (heard === undefined) return;
    if (heard.isDue) this.#model?.run();
    this.#tell(this.#byModel?.confirm(heard.probability));
  }

  /** Time passed without frames, or the stream ended: see `SpeechActivity.discontinuity`. */
  discontinuity(mediaTimeMs: number): void {
    this.settle();
    const detector = this.#byLevel ?? this.#byModel;
    this.#tell(detector?.discontinuity(mediaTimeMs));
  }

  /**
   * Writes all that it knows, after `settle`.
   *
   * @param out of which `STREAM_SPEECH_NUMBERS` from `at` on are written
   * @param words `SPEECH_MODEL_WORDS`; zeros while the model need not hear the stream
   */
  save(out: Float64Array, at: number, words: Int32Array): void {
    this.settle();
    out.fill(Number.NaN, at, at + STREAM_SPEECH_NUMBERS);
    words.fill(0);
    this.#byLevel?.save(out, at);
    this.#byModel?.save(out, at);
    out[at + WRITER_AT] = this.#byLevel === undefined ? BY_MODEL : BY_LEVEL;
    if (this.#byModel?.isOpen === true) this.#heard?.save(words, 0);
  }

  /**
   * Reads back what `save` wrote; of what another kind wrote, only what both know.
   *
   * @param nowMs end of what was heard when it was written; NaN when nothing was
   */
  restore(from: Float64Array, at: number, words: Int32Array, nowMs: number): void {
    const writer = this.#byLevel === undefined ? BY_MODEL : BY_LEVEL;
    const isOurs = from[at + WRITER_AT] === writer;
    const numbers = isOurs ? from : common(from, at);
    const first = isOurs ? at : 0;
    this.#byLevel?.restore(numbers, first, nowMs);
    this.#byModel?.restore(numbers, first, nowMs);
    if (this.#byModel?.isOpen !== true) return;
    this.#heard ??= this.#model?.acquire();
    this.#heard?.restore(words, 0);
  }

  /** Gives up its place in the model; it must not be used afterwards. */
  release(): void {
    this.#isDeferred = false;
    this.#heard?.release();
    this.#heard = undefined;
  }

  #tell(transition: SpeechTransition | undefined): void {
    if (transition !== undefined) this.#onTransition(transition);
  }
}

function common(from: Float64Array, at: number): Float64Array {
  const numbers = new Float64Array(STREAM_SPEECH_NUMBERS).fill(Number.NaN);
  numbers.set(from.subarray(at, at + COMMON_NUMBERS));
  return numbers;
}
