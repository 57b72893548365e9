import type {
  RecognizerFault,
  RecognizerResult,
  RecognizerSession,
  RecognizerSessionOptions,
} from '../recognizer.js';
import { RECOGNIZER_SAMPLE_RATE_HZ } from '../recognizer.js';
import type { DecoderPool } from './decoder-pool.js';
import type { FoundPhrase } from './find-phrases.js';
import { findPhrases } from './find-phrases.js';
import type { PhraseGrammar } from './phrase-grammar.js';

export const ENGINE_NAME = 'soundswallower';

const SAMPLES_PER_MS = RECOGNIZER_SAMPLE_RATE_HZ / 1000;
/** A longer gap ends what was said before it: no phrase is heard across. */
const BRIDGED_GAP_MS = 300;
/** Longest sound that waits; what is longer is worked on in pieces that overlap. */
const MAX_WAITING_MS = 30_000;
const OVERLAP_MS = 4000;
/** A phrase that ends so near the end of a piece may go on: the next piece has it. */
const UNSURE_END_MS = 1500;
const FIRST_SAMPLES = 5 * RECOGNIZER_SAMPLE_RATE_HZ;

export interface PhraseSessionParts {
  readonly pool: DecoderPool;
  readonly language: string;
  readonly grammar: PhraseGrammar;
  onClosed(): void;
}

/** A piece of the stream without gaps, to be decoded. */
interface Piece {
  readonly pcm: Int16Array;
  readonly startMs: number;
  /** Phrases that end later are left to the next piece. */
  readonly untilMs: number;
  readonly utterance: Utterance;
}

interface Utterance {
  isForgotten: boolean;
  /** End of what was told of it: pieces overlap. */
  toldMs: number;
}

/** Waits for the end of an utterance, then decodes it in one go: the same sound gives the same. */
export class PhraseSession implements RecognizerSession {
  readonly #options: RecognizerSessionOptions;
  readonly #parts: PhraseSessionParts;
  #waiting: Int16Array = new Int16Array(FIRST_SAMPLES);
  #count = 0;
  #startMs: number;
  #utterance: Utterance = newUtterance();
  /** Pieces are decoded one after the other. */
  #work: Promise<void> = Promise.resolve();
  #queuedSamples = 0;
  #isOver = false;

  constructor(options: RecognizerSessionOptions, parts: PhraseSessionParts) {
    this.#options = options;
    this.#parts = parts;
    this.#startMs = options.startMs;
  }

  get backlogMs(): number {
    return (this.#count + this.#queuedSamples) / SAMPLES_PER_MS;
  }

  push(pcm: Int16Array): void {
    if (this.#isOver) return;
    const maxSamples = MAX_WAITING_MS * SAMPLES_PER_MS;
    let from = 0;
    // Cut at the same sample however the sound comes.
    while (from < pcm.length) {
      const taken = Math.min(pcm.length - from, maxSamples - this.#count);
      this.#reserve(taken);
      this.#waiting.set(pcm.subarray(from, from + taken), this.#count);
      this.#count += taken;
      from += taken;
      if (this.#count === maxSamples) this.#decodeAllButOverlap();
    }
  }

  gap(durationMs: number): void {
    if (this.#isOver || !(durationMs > 0)) return;
    if (durationMs <= BRIDGED_GAP_MS) {
      this.push(new Int16Array(Math.round(durationMs * SAMPLES_PER_MS)));
      return;
    }
    const endMs = this.#endMs;
    this.#decodeWaiting();
    this.#startMs = endMs + durationMs;
  }

  async endUtterance(): Promise<void> {
    const endMs = this.#endMs;
    this.#decodeWaiting();
    this.#startMs = endMs;
    this.#utterance = newUtterance();
    await this.#work;
  }

  restart(mediaTimeMs: number): void {
    this.#utterance.isForgotten = true;
    this.#utterance = newUtterance();
    this.#count = 0;
    this.#startMs = mediaTimeMs;
  }

  async close(): Promise<void> {
    if (!this.#isOver) this.#end();
    await this.#work;
  }

  get #endMs(): number {
    return this.#startMs + this.#count / SAMPLES_PER_MS;
  }

  #reserve(samples: number): void {
    const needed = this.#count + samples;
    if (needed <= this.#waiting.length) return;
    const more = new Int16Array(Math.max(needed, 2 * this.#waiting.length));
    more.set(this.#waiting.subarray(0, this.#count));
    this.#waiting = more;
  }

  #decodeWaiting(): void {
    if (this.#count > 0) this.#queue(Number.POSITIVE_INFINITY);
    this.#count = 0;
  }

  #decodeAllButOverlap(): void {
    this.#queue(this.#endMs - UNSURE_END_MS);
    const keep = OVERLAP_MS * SAMPLES_PER_MS;
    this.#startMs = this.#endMs - OVERLAP_MS;
    this.#waiting.copyWithin(0, this.#count - keep, this.#count);
    this.#count = keep;
  }

  #queue(untilMs: number): void {
    if (this.#isOver) return;
    const pcm = this.#waiting.slice(0, this.#count);
    const piece = { pcm, startMs: this.#startMs, untilMs, utterance: this.#utterance };
    this.#queuedSamples += pcm.length;
    this.#work = this.#work.then(async () => {
      if (this.#isWanted(piece)) await this.#decode(piece);
      this.#queuedSamples -= pcm.length;
    });
  }

  async #decode(piece: Piece): Promise<void> {
    const { pool, language, grammar } = this.#parts;
    try {
      const aligned = await pool.decode(language, grammar, piece.pcm);
      if (!this.#isWanted(piece)) return;
      for (const phrase of findPhrases(piece.pcm, aligned)) this.#tell(piece, phrase);
    } catch (error) {
      this.#fail({
        code: 'recognizer_failed',
        message: `${ENGINE_NAME} failed: ${error instanceof Error ? error.message : 'no reason given'}`,
        retryable: true,
      });
    }
  }

  #tell({ startMs, untilMs, utterance }: Piece, phrase: FoundPhrase): void {
    const endMs = startMs + phrase.endMs;
    if (this.#isOver || endMs > untilMs || startMs + phrase.startMs < utterance.toldMs) return;
    utterance.toldMs = endMs;
    const result: RecognizerResult = {
      kind: 'phrase',
      engine: ENGINE_NAME,
      text: this.#parts.grammar.canonical.get(phrase.key) ?? phrase.key,
      startMs: startMs + phrase.startMs,
      endMs,
      words: phrase.words.map((word) => ({
        ...word,
        startMs: startMs + word.startMs,
        endMs: startMs + word.endMs,
      })),
      confidence: phrase.confidence,
      language: this.#options.language,
    };
    this.#options.onResult(result);
  }

  #isWanted({ utterance }: Piece): boolean {
    return !this.#isOver && !utterance.isForgotten;
  }

  #fail(fault: RecognizerFault): void {
    if (this.#isOver) return;
    this.#end();
    this.#options.onFault(fault);
  }

  #end(): void {
    this.#isOver = true;
    this.#count = 0;
    this.#waiting = new Int16Array(0);
    this.#parts.onClosed();
  }
}

function newUtterance(): Utterance {
  return { isForgotten: false, toldMs: Number.NEGATIVE_INFINITY };
}
