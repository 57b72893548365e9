import { HalfBandDecimator } from './half-band.js';
import { PairGate } from './pair-gate.js';
import { PairReading } from './pair-reading.js';
import { MOST_HOPS, SoundTrail } from './sound-trail.js';
import type { DetectedTone } from './tone-candidate.js';
import { ToneCandidate } from './tone-candidate.js';
import { ANALYSIS_RATE_HZ, HOP_MS, HOP_SAMPLES, WINDOW_MS } from './tone-spectrum.js';

export interface DtmfDetectorOptions {
  readonly sampleRateHz: 8000 | 16_000;
  /**
   * Called once for each digit, when it has ended, from within `process`, `gap` or
   * `discontinuity`; it must not call the detector. The tone is its to keep.
   */
  readonly onTone: (tone: DetectedTone) => void;
}

/** A tone not heard for so long has ended: breaks of 10 ms are bridged, pauses of 40 ms are not. */
const MAX_BREAK_MS = 30;

/** The same where a gap lies in between, beside the gap, where windows see less far. */
const MAX_BREAK_AT_GAP_MS = 15;

/** Longest gap that a tone is believed to have gone on through. */
const MAX_BRIDGED_GAP_MS = 100;

/** Media time may jitter by so much from one call to the next without meaning anything. */
const JITTER_MS = 10;

const FULL_SCALE = 32_768;

/** Different pairs in a row after which the tone before has ended. */
const RIVALS = 2;

/** Hops without a pair after which the cheap gate alone listens again. */
const QUIET_HOPS = 4;

/** No tone is open for so long after it was last heard. */
const MOST_OPEN_MS = 1000;

/** Numbers that `DtmfDetector.save` writes. */
export const TONE_STATE_NUMBERS = 45;

/** One for all: it keeps nothing, and what it works in stays at hand. */
const GATE = new PairGate();

/**
 * Finds the digits in one channel of PCM16, 5 ms at a time: a gate that costs little and says no
 * to nearly everything, and behind it two-tone analysis at 8 kHz under 20 ms Hann windows, with
 * frequencies taken from the advance of the phases. Accepts and rejects as ITU-T Q.24 and ETSI
 * ES 201 235-3 ask. Allocates nothing but the tones that it reports.
 */
export class DtmfDetector {
  readonly #onTone: (tone: DetectedTone) => void;
  readonly #inputHop: number;
  readonly #decimator: HalfBandDecimator | undefined;
  readonly #trail: SoundTrail = new SoundTrail();
  readonly #reading: PairReading = new PairReading();
  readonly #candidate: ToneCandidate = new ToneCandidate();
  #awake = false;
  #skipped = false;
  #rivals = 0;
  #quietHops = 0;
  /** Media time of the next sample; NaN when any time may come next. */
  #nextMs = Number.NaN;
  /** Where the sound begins that `process` was given. */
  #givenMs = Number.NaN;
  #gapStartMs = Number.NEGATIVE_INFINITY;
  #gapEndMs = Number.NEGATIVE_INFINITY;

  /** @throws RangeError for a rate that is not 8 or 16 kHz */
  constructor({ sampleRateHz, onTone }: DtmfDetectorOptions) {
    if (sampleRateHz !== 8000 && sampleRateHz !== 16_000) {
      throw new RangeError(
        `Cannot create a tone detector: the rate must be 8000 or 16000 Hz, got ${sampleRateHz}`,
      );
    }
    this.#onTone = onTone;
    this.#inputHop = (sampleRateHz * HOP_MS) / 1000;
    this.#decimator =
      sampleRateHz === ANALYSIS_RATE_HZ ? undefined : new HalfBandDecimator(HOP_SAMPLES);
  }

  /**
   * True while a tone is sounding, or may be: from about 30 ms after its beginning until it is
   * reported, or turns out to be none.
   */
  get toneActive(): boolean {
    return this.#candidate.likely;
  }

  /**
   * Takes the next sound.
   *
   * @param pcm borrowed for the call; any multiple of 5 ms
   * @param mediaTimeMs where it begins. A jump of more than 10 ms from the end of the call before
   * is treated as a discontinuity.
   * @throws RangeError when `pcm` is no multiple of 5 ms
   */
  process(pcm: Int16Array, mediaTimeMs: number): void {
    // Handed on in a field: small enough to be inlined, so that V8 need not box the time.
    this.#givenMs = mediaTimeMs;
    this.#process(pcm);
  }

  #process(pcm: Int16Array): void {
    if (pcm.length % this.#inputHop !== 0) {
      throw new RangeError(
        `Cannot look for tones: PCM must be a multiple of ${this.#inputHop} samples, got ${pcm.length}`,
      );
    }
    if (Math.abs(this.#givenMs - this.#nextMs) > JITTER_MS) this.discontinuity();
    this.#nextMs = this.#givenMs;
    for (let hop = 0, left = pcm.length / this.#inputHop; left > 0; hop += 1, left -= 1) {
      if (hop % MOST_HOPS === 0) this.#trail.makeRoom(Math.min(left, MOST_HOPS));
      this.#take(pcm, hop * this.#inputHop);
    }
  }

  /**
   * The next stretch is missing, or was made up and must not be listened to. A tone heard right
   * before and right after up to 100 ms of it is one tone; longer gaps end it.
   */
  gap(durationMs: number): void {
    if (!(durationMs > 0) || Number.isNaN(this.#nextMs)) return;
    const startMs = this.#nextMs;
    if (!(Math.abs(startMs - this.#gapEndMs) < HOP_MS)) this.#gapStartMs = startMs;
    this.#gapEndMs = startMs + durationMs;
    // The first, too: a clock that shows too great a time to advance by the gap says that none was.
    if (durationMs > MAX_BRIDGED_GAP_MS || this.#gapEndMs - this.#gapStartMs > MAX_BRIDGED_GAP_MS) {
      this.discontinuity();
      return;
    }
    this.#decimator?.reset();
    for (let hops = Math.round(durationMs / HOP_MS); hops > 0; hops -= 1) this.#takeNothing();
    this.#nextMs = this.#gapEndMs;
  }

  /** The source was silent for a time unknown, or ended: an open tone ended where it was heard. */
  discontinuity(): void {
    // Bounded, whatever the clock says: at a time too great to advance by 5 ms no break grows.
    for (let hops = MOST_OPEN_MS / HOP_MS; hops > 0 && this.#candidate.open; hops -= 1) {
      this.#takeNothing();
    }
    this.reset();
  }

  /** Forgets everything, an open tone too, which is not reported. */
  reset(): void {
    this.#candidate.abandon();
    this.#decimator?.reset();
    this.#trail.reset();
    this.#awake = false;
    this.#rivals = 0;
    this.#nextMs = Number.NaN;
    this.#gapStartMs = Number.NEGATIVE_INFINITY;
    this.#gapEndMs = Number.NEGATIVE_INFINITY;
  }

  /**
   * Writes what it knows from `out[at]` on, but for the sound itself: `TONE_STATE_NUMBERS` of them, NaN
   * for what is not there; returns where the next may follow.
   */
  save(out: Float64Array, at: number): number {
    out[at] = this.#awake ? 1 : 0;
    out[at + 1] = this.#skipped ? 1 : 0;
    out[at + 2] = this.#rivals;
    out[at + 3] = this.#quietHops;
    out[at + 4] = this.#nextMs;
    out[at + 5] = Number.isFinite(this.#gapStartMs) ? this.#gapStartMs : Number.NaN;
    out[at + 6] = Number.isFinite(this.#gapEndMs) ? this.#gapEndMs : Number.NaN;
    return this.#candidate.save(out, at + 7);
  }

  /**
   * Reads back what `save` wrote: a tone that was open goes on, one that was reported is not reported
   * again. The sound before, 40 ms of it, should have been given to `process`. Of a tone or a gap that
   * can't have been nothing is believed: a tone that ends before it begins, or that was not heard for a
   * second; a gap that is not bridged, or not over.
   */
  restore(from: Float64Array, at: number): number {
    this.#awake = from[at] === 1;
    this.#skipped = from[at + 1] === 1;
    this.#rivals = countFrom(from[at + 2]!);
    this.#quietHops = countFrom(from[at + 3]!);
    this.#nextMs = from[at + 4]!;
    this.#gapStartMs = orBefore(from[at + 5]!);
    this.#gapEndMs = orBefore(from[at + 6]!);
    const next = this.#candidate.restore(from, at + 7);
    this.#awake ||= this.#candidate.open;
    // Whoever kept the numbers may have spoiled them: a tone must end some time.
    const isHeard = Math.abs(this.#nextMs - this.#candidate.lastHeardMs) < MOST_OPEN_MS;
    if (!isHeard || !this.#candidate.isPossible) this.#candidate.abandon();
    const gapMs = this.#gapEndMs - this.#gapStartMs;
    const isGap = gapMs >= 0 && gapMs <= MAX_BRIDGED_GAP_MS;
    if (!isGap || this.#gapEndMs > this.#nextMs + MAX_BRIDGED_GAP_MS) {
      this.#gapStartMs = Number.NEGATIVE_INFINITY;
      this.#gapEndMs = Number.NEGATIVE_INFINITY;
    }
    this.#trail.jumpTo(0);
    return next;
  }

  #take(pcm: Int16Array, from: number): void {
    const { samples } = this.#trail;
    const at = this.#trail.append();
    if (this.#decimator !== undefined) this.#decimator.decimate(pcm, from, samples, at);
    else for (let i = 0; i < HOP_SAMPLES; i += 1) samples[at + i] = pcm[from + i]! / FULL_SCALE;
    this.#listen();
  }

  #takeNothing(): void {
    this.#trail.appendMissing();
    this.#listen();
  }

  #listen(): void {
    this.#nextMs += HOP_MS;
    const middleMs = this.#nextMs - WINDOW_MS / 2;
    if (this.#awake) {
      this.#trail.advance();
      this.#hear(middleMs);
      return;
    }
    // A tone of 40 ms fills at least two of the windows that are 10 ms apart.
    this.#skipped = !this.#skipped;
    if (this.#skipped || !GATE.mayHoldPair(this.#trail.samples, this.#trail.windowStart(0))) return;
    this.#wake(middleMs);
  }

  /** Listens to the hop that the gate skipped, too. */
  #wake(middleMs: number): void {
    this.#awake = true;
    this.#quietHops = 0;
    this.#rivals = 0;
    this.#trail.jumpTo(1);
    this.#hear(middleMs - HOP_MS);
    this.#trail.advance();
    this.#hear(middleMs);
  }

  /** What the present spectrum of the trail says. */
  #hear(middleMs: number): void {
    const trail = this.#trail;
    const candidate = this.#candidate;
    const reading = this.#reading;
    const heard = reading.read(trail);
    const sinceGapMs = middleMs - this.#gapEndMs;
    this.#quietHops = heard ? 0 : this.#quietHops + 1;
    if (heard && candidate.open && candidate.goesOnIn(reading, trail, sinceGapMs)) {
      this.#rivals = 0;
      candidate.heard(reading, middleMs, trail, this.#gapSinceHeard(middleMs), sinceGapMs);
    } else if (
      candidate.open &&
      !(heard && !candidate.isOf(reading)) &&
      candidate.assume(middleMs, trail, this.#gapSinceHeard(middleMs), sinceGapMs)
    ) {
      this.#rivals = 0;
    } else if (candidate.open) {
      this.#rivals += heard && !candidate.isOf(reading) ? 1 : 0;
      candidate.unheard(middleMs, trail);
      if (this.#rivals >= RIVALS || this.#isOver(middleMs)) this.#close();
    }
    if (heard && !candidate.open && !candidate.isEchoedBy(reading, middleMs, trail)) {
      candidate.begin(reading, middleMs, trail);
    }
    this.#awake = candidate.open || this.#quietHops < QUIET_HOPS;
  }

  #isOver(middleMs: number): boolean {
    const gapMs = this.#gapSinceHeard(middleMs);
    const breakMs = middleMs - this.#candidate.lastHeardMs - gapMs;
    return breakMs >= (gapMs > 0 ? MAX_BREAK_AT_GAP_MS : MAX_BREAK_MS);
  }

  /** How much of the latest gap lies between the last that was heard of the tone and now. */
  #gapSinceHeard(middleMs: number): number {
    const startMs = Math.max(this.#gapStartMs, this.#candidate.lastHeardMs);
    const overlapMs = Math.min(this.#gapEndMs, middleMs) - startMs;
    return Math.max(0, overlapMs);
  }

  #close(): void {
    this.#rivals = 0;
    const tone = this.#candidate.close(this.#gapStartMs, this.#gapEndMs);
    if (tone !== undefined) this.#onTone(tone);
  }
}

function countFrom(value: number): number {
  return Number.isNaN(value) ? 0 : Math.max(0, value);
}

function orBefore(timeMs: number): number {
  return Number.isNaN(timeMs) ? Number.NEGATIVE_INFINITY : timeMs;
}
