import type { UtteranceResume, UtteranceStart } from '@earshot/media-session';
import type { RecognizerSession } from '@earshot/recognition';
import { RECOGNIZER_SAMPLE_RATE_HZ } from '@earshot/recognition';
import type { UtteranceGap } from './recognition-messages.js';

const SAMPLES_PER_MS = RECOGNIZER_SAMPLE_RATE_HZ / 1000;
const FIRST_SAMPLES = 2000 * SAMPLES_PER_MS;

interface Gap extends UtteranceGap {
  /** Samples before it. */
  readonly at: number;
}

/** The sound of one utterance, kept until it is told of, so that it can be tried again. */
export class Utterance {
  readonly start: UtteranceStart;
  /** Undefined while it goes on. */
  endMs: number | undefined;
  /** Sessions that failed with it. */
  failures = 0;
  partials: number;
  /** How a listener goes on that begins within it. */
  resume: UtteranceResume;
  #samples = new Int16Array(FIRST_SAMPLES);
  #length = 0;
  readonly #gaps: Gap[] = [];
  /** What a session was given. */
  #pushed = 0;
  #gapsPushed = 0;

  /** @param partials that were told of it */
  constructor(start: UtteranceStart, partials = 0) {
    this.start = start;
    this.partials = partials;
    this.resume = { untilMs: start.soundFromMs, next: null };
  }

  get gaps(): UtteranceGap[] {
    return this.#gaps.map(({ startMs, durationMs }) => ({ startMs, durationMs }));
  }

  get durationMs(): number {
    return this.#length / SAMPLES_PER_MS;
  }

  /** Sound that no session was given yet, ms. */
  get waitingMs(): number {
    return (this.#length - this.#pushed) / SAMPLES_PER_MS;
  }

  get isStarted(): boolean {
    return this.#pushed > 0 || this.#gapsPushed > 0;
  }

  append(pcm: Int16Array): void {
    if (this.#length + pcm.length > this.#samples.length) {
      const larger = new Int16Array(this.#samples.length * 2);
      larger.set(this.#samples);
      this.#samples = larger;
    }
    this.#samples.set(pcm, this.#length);
    this.#length += pcm.length;
  }

  lost(startMs: number, durationMs: number): void {
    this.#gaps.push({ startMs, durationMs, at: this.#length });
  }

  /** Gives the session the next `ms` of sound at most; returns how much it was. */
  pushTo(session: RecognizerSession, ms: number): number {
    const from = this.#pushed;
    const to = Math.min(this.#length, from + Math.floor(ms * SAMPLES_PER_MS));
    for (;;) {
      const gap = this.#gaps[this.#gapsPushed];
      if (gap === undefined || gap.at > to) break;
      this.#pushSamples(session, gap.at);
      session.gap(gap.durationMs);
      this.#gapsPushed += 1;
    }
    this.#pushSamples(session, to);
    return (to - from) / SAMPLES_PER_MS;
  }

  /** Another session is to be given all of it. */
  rewind(): void {
    this.#pushed = 0;
    this.#gapsPushed = 0;
  }

  #pushSamples(session: RecognizerSession, to: number): void {
    if (to > this.#pushed) session.push(this.#samples.subarray(this.#pushed, to));
    this.#pushed = to;
  }
}
