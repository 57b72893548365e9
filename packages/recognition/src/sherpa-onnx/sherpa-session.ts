import type {
  RecognizerResult,
  RecognizerSession,
  RecognizerSessionOptions,
} from '../recognizer.js';
import { RECOGNIZER_SAMPLE_RATE_HZ } from '../recognizer.js';
import { UtteranceAudio } from '../utterance-audio.js';
import type { SherpaRecognizer, SherpaResult, SherpaStream } from './sherpa-runtime.js';
import type { TokenWord } from './token-words.js';
import { wordsOfTokens } from './token-words.js';

export const ENGINE = 'sherpa-onnx';

const SAMPLES_PER_MS = RECOGNIZER_SAMPLE_RATE_HZ / 1000;
const GAP_SILENCE_MS = 200;

/** Models look ahead: after so much silence all that was said is decoded. */
const TAIL_MS = 660;

const MAX_UTTERANCE_MS = 75_000;

export interface LoadedModel {
  readonly recognizer: SherpaRecognizer;
  /** What times of tokens are multiplied by; null: they are of no use. */
  readonly timeScale: number | null;
}

interface Utterance {
  readonly stream: SherpaStream;
  readonly audio: UtteranceAudio;
  told: string;
}

/** A stream, decoded as it is pushed, on the caller's thread. */
export class SherpaSession implements RecognizerSession {
  readonly backlogMs = 0;
  readonly #recognizer: SherpaRecognizer;
  readonly #timeScale: number | null;
  readonly #session: RecognizerSessionOptions;
  readonly #closed: () => void;
  readonly #partials: boolean;
  #utterance: Utterance | undefined;
  #nextMs: number;
  #isOver = false;

  constructor(model: LoadedModel, session: RecognizerSessionOptions, closed: () => void) {
    this.#recognizer = model.recognizer;
    this.#timeScale = model.timeScale;
    this.#session = session;
    this.#closed = closed;
    this.#partials = session.task.kind === 'dictation' && session.task.partials;
    this.#nextMs = session.startMs;
  }

  push(pcm: Int16Array): void {
    if (this.#isOver || pcm.length === 0) return;
    const utterance = this.#spoken();
    if (!utterance.audio.append(pcm)) {
      this.#overflow();
      return;
    }
    this.#decode(utterance, pcm);
    this.#partial(utterance);
  }

  gap(durationMs: number): void {
    const utterance = this.#utterance;
    if (utterance === undefined) {
      this.#nextMs += durationMs;
      return;
    }
    const before = utterance.audio.length;
    if (!utterance.audio.gap(durationMs, GAP_SILENCE_MS)) this.#overflow();
    else this.#decode(utterance, new Int16Array(utterance.audio.length - before));
  }

  endUtterance(): Promise<void> {
    const utterance = this.#utterance;
    this.#utterance = undefined;
    if (this.#isOver || utterance === undefined) return Promise.resolve();
    this.#nextMs = utterance.audio.endMs;
    this.#decode(utterance, new Int16Array(TAIL_MS * SAMPLES_PER_MS));
    utterance.stream.inputFinished();
    this.#decodeReady(utterance);
    this.#session.onResult(this.#resultOf(utterance, 'final'));
    return Promise.resolve();
  }

  restart(mediaTimeMs: number): void {
    this.#utterance = undefined;
    this.#nextMs = mediaTimeMs;
  }

  close(): Promise<void> {
    this.#isOver = true;
    this.#utterance = undefined;
    this.#closed();
    return Promise.resolve();
  }

  #spoken(): Utterance {
    this.#utterance ??= {
      stream: this.#recognizer.createStream(),
      audio: new UtteranceAudio(this.#nextMs, MAX_UTTERANCE_MS),
      told: '',
    };
    return this.#utterance;
  }

  #decode(utterance: Utterance, pcm: Int16Array): void {
    const samples = Float32Array.from(pcm, (sample) => sample / 32_768);
    utterance.stream.acceptWaveform({ samples, sampleRate: RECOGNIZER_SAMPLE_RATE_HZ });
    this.#decodeReady(utterance);
  }

  #decodeReady({ stream }: Utterance): void {
    while (this.#recognizer.isReady(stream)) this.#recognizer.decode(stream);
  }

  #partial(utterance: Utterance): void {
    if (!this.#partials) return;
    const result = this.#resultOf(utterance, 'partial');
    if (result.text === '' || result.text === utterance.told) return;
    utterance.told = result.text;
    this.#session.onResult(result);
  }

  #resultOf({ stream, audio }: Utterance, kind: 'partial' | 'final'): RecognizerResult {
    const result = this.#recognizer.getResult(stream);
    const mediaMs = (ms: number): number => audio.mediaMsAt(Math.round(ms * SAMPLES_PER_MS));
    const words = this.#words(result, audio.length / SAMPLES_PER_MS).map((word) => ({
      ...word,
      startMs: mediaMs(word.startMs),
      endMs: mediaMs(word.endMs),
    }));
    const known = words.flatMap(({ confidence }) => (confidence === null ? [] : [confidence]));
    return {
      kind,
      engine: ENGINE,
      text: result.text.trim(),
      startMs: words[0]?.startMs ?? audio.startMs,
      endMs: words.at(-1)?.endMs ?? audio.endMs,
      words,
      confidence:
        known.length === 0 ? null : known.reduce((sum, each) => sum + each, 0) / known.length,
      language: this.#session.language,
    };
  }

  #words({ tokens, timestamps, ys_probs }: SherpaResult, endMs: number): TokenWord[] {
    const scale = this.#timeScale;
    if (scale === null) return [];
    const times = timestamps.map((seconds) => seconds * scale);
    return wordsOfTokens(tokens, times, ys_probs ?? [], endMs);
  }

  #overflow(): void {
    this.#isOver = true;
    this.#utterance = undefined;
    const message = `Cannot recognize with ${ENGINE}: an utterance must be no longer than ${MAX_UTTERANCE_MS} ms`;
    this.#session.onFault({ code: 'recognizer_slow', message, retryable: true });
  }
}
