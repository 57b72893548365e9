import { CodedError } from '@earshot/async';
import type { PhraseSettings } from '@earshot/listening';
import type { UtteranceSink, UtteranceStart } from '@earshot/media-session';
import { PcmRecord, PcmRing, UtteranceCutter } from '@earshot/media-session';
import type { Recognizer, RecognizerFault, RecognizerSession } from '@earshot/recognition';
import type { FoundPhrase } from './file-analysis.js';

/** As calls have it: a phrase is short, and no long pause is waited for. */
const ENDPOINT_MS = 500;
const MAX_UTTERANCE_MS = 15_000;

/** Emptied after each frame, which makes a few records. */
const RING_RECORDS = 64;

interface Utterance {
  readonly startMs: number;
  /** Sound, and between it how much is missing, ms. */
  readonly parts: (Int16Array | number)[];
}

/** Finds phrases in what a pipeline hears, one file after the other. */
export class PhraseListener implements UtteranceSink {
  readonly #settings: PhraseSettings;
  readonly #recognizer: Recognizer;
  readonly #record: PcmRecord = new PcmRecord();
  #session: RecognizerSession | undefined;
  #fault: RecognizerFault | undefined;
  #ring: PcmRing = new PcmRing(PcmRing.allocate(2));
  #cutter: UtteranceCutter = this.#newCutter();
  #open: Utterance | undefined;
  #whole: Utterance[] = [];
  #found: FoundPhrase[] = [];

  private constructor(settings: PhraseSettings, recognizer: Recognizer) {
    this.#settings = settings;
    this.#recognizer = recognizer;
  }

  /** @throws CodedError (rejects) when the phrases, the grammar or the language can't be had. */
  static async start(settings: PhraseSettings): Promise<PhraseListener> {
    // Other commands, and files without phrases, do without it.
    const { createSoundSwallower } = await import('@earshot/recognition');
    const listener = new PhraseListener(settings, createSoundSwallower());
    try {
      await listener.#openSession();
    } catch (error) {
      await listener.close();
      throw error;
    }
    return listener;
  }

  /** Begins with a file: where its pipeline is to put what it hears. */
  begin(): PcmRing {
    this.#ring = new PcmRing(PcmRing.allocate(RING_RECORDS));
    this.#cutter = this.#newCutter();
    this.#open = undefined;
    this.#whole = [];
    this.#found = [];
    this.#fault = undefined;
    return this.#ring;
  }

  /** Takes what the pipeline heard; true when an utterance is there to be recognized. */
  take(): boolean {
    while (this.#ring.pop(this.#record)) this.#cutter.take(this.#record);
    return this.#whole.length > 0;
  }

  /** @throws CodedError (rejects) when the recognizer failed. */
  async recognize(): Promise<void> {
    const session = this.#session;
    for (const { startMs, parts } of this.#whole.splice(0)) {
      session?.restart(startMs);
      for (const part of parts) {
        if (typeof part === 'number') session?.gap(part);
        else session?.push(part);
      }
      await session?.endUtterance();
    }
    if (this.#fault !== undefined) throw new CodedError(this.#fault.code, this.#fault.message);
  }

  /** Of the file, in order. */
  get found(): readonly FoundPhrase[] {
    return this.#found;
  }

  async close(): Promise<void> {
    await this.#session?.close();
    await this.#recognizer.close();
  }

  began({ soundFromMs }: UtteranceStart): void {
    this.#open = { startMs: soundFromMs, parts: [] };
  }

  sound(pcm: Int16Array): void {
    this.#open?.parts.push(pcm.slice());
  }

  lost(_startMs: number, durationMs: number): void {
    this.#open?.parts.push(durationMs);
  }

  ended(): void {
    if (this.#open !== undefined) this.#whole.push(this.#open);
    this.#open = undefined;
  }

  #newCutter(): UtteranceCutter {
    return new UtteranceCutter({ endpointMs: ENDPOINT_MS, maxUtteranceMs: MAX_UTTERANCE_MS }, this);
  }

  async #openSession(): Promise<void> {
    const { phrases, jsgf, language, minConfidence } = this.#settings;
    this.#session = await this.#recognizer.open({
      task: { kind: 'phrases', phrases, jsgf },
      language,
      startMs: 0,
      endpointMs: ENDPOINT_MS,
      onResult: ({ kind, text, startMs, endMs, confidence }) => {
        if (kind !== 'phrase' || (confidence ?? 1) < minConfidence) return;
        this.#found.push({ phrase: text, startMs, endMs, confidence });
      },
      onFault: (fault) => {
        this.#fault = fault;
      },
    });
  }
}
