import type { SoundWindow } from './sound-window.js';
import { BLOCK_MS, BLOCKS, WINDOW_MS } from './sound-window.js';
import { Spectrum } from './spectrum.js';
import { SEGMENT_NUMBERS, ToneSegment } from './tone-segment.js';
import { SOUND, soundOf } from './tone-sound.js';

/** A power below this part of the tone's is its end: −6 dB. */
const WEAK = 0.25;

/** Weak blocks in a row that are part of the tone: two tones beat, slowest 25 ms a time. */
const MOST_WEAK_BLOCKS = 2;

/** A window is found steady up to half a frame before it lies in the tone, or after it began. */
const SLACK_BLOCKS = 4;
const WINDOW_BLOCKS = WINDOW_MS / BLOCK_MS;

/** How far back from the window's beginning a tone's is looked for. */
const MOST_BACK_BLOCKS = 8;

/** A tone that still sounds may go unheard for so long: a reversed phase fills a window. */
const MOST_UNHEARD_MS = 160;

/** Longest gap that a tone is believed to have gone on through. */
const MOST_GAP_MS = 100;

/** So long after a gap a codec may take until it is as loud as what was sent. */
const SETTLING_MS = 40;

/** A tone between one gap and the next may go unheard for so long altogether. */
const MOST_UNHEARD_AT_GAPS_MS = 500;

/** Numbers that `SegmentTracker.save` writes. */
export const TRACKER_NUMBERS: number = SEGMENT_NUMBERS + 2;

/** One for all: it keeps nothing from one window to the next. */
const SPECTRUM = new Spectrum();

/** Finds where steady tones begin and end. */
export class SegmentTracker {
  /** The tone that sounds; `none` when none does. */
  readonly open: ToneSegment = new ToneSegment();
  readonly #window: SoundWindow;
  readonly #onClosed: (segment: ToneSegment) => void;
  readonly #onBegun: (segment: ToneSegment) => void;
  /** Of a gap, since the tone was last heard. */
  #unknownMs = 0;
  /** End of the latest gap since then; NaN when there was none. */
  #gapEndMs = Number.NaN;
  /** End of what was taken last, gaps too. */
  #nowMs = Number.NaN;

  /**
   * @param onBegun told of a tone once it sounded for a window
   * @param onClosed told of it when it ended; borrowed
   */
  constructor(
    window: SoundWindow,
    onBegun: (segment: ToneSegment) => void,
    onClosed: (segment: ToneSegment) => void,
  ) {
    this.#window = window;
    this.#onBegun = onBegun;
    this.#onClosed = onClosed;
    this.open.clear();
  }

  /** A frame was added to the window, which now ends at `nowMs`. */
  step(nowMs: number): void {
    this.#nowMs = nowMs;
    const window = this.#window;
    const { open } = this;
    let sound: number = SOUND.none;
    if (window.isSteady) {
      SPECTRUM.read(window);
      sound = soundOf(SPECTRUM);
    }
    if (open.sound !== SOUND.none) this.#follow(sound, nowMs);
    if (open.sound === SOUND.none && sound !== SOUND.none) this.#begin(nowMs);
  }

  /** So much of what follows is missing. */
  gap(durationMs: number): void {
    if (this.open.sound === SOUND.none) return;
    this.#unknownMs += durationMs;
    this.#nowMs += durationMs;
    this.#gapEndMs = this.#nowMs;
    if (this.#unknownMs > MOST_GAP_MS) this.end();
  }

  /** The tone that sounds ended where it was last heard. */
  end(): void {
    if (this.open.sound === SOUND.none) return;
    this.open.isCleanEnd = true;
    this.#close();
  }

  /** Forgets the tone that sounds. */
  reset(): void {
    this.open.clear();
    this.#unknownMs = 0;
    this.#gapEndMs = Number.NaN;
  }

  save(out: Float64Array, at: number): number {
    const next = this.open.save(out, at);
    out[next] = this.#unknownMs;
    out[next + 1] = this.#gapEndMs;
    return next + 2;
  }

  /** @param nowMs end of what was heard when it was written */
  restore(from: Float64Array, at: number, nowMs: number): number {
    const next = this.open.restore(from, at, nowMs);
    const unknownMs = from[next]!;
    this.#unknownMs = unknownMs >= 0 && unknownMs <= MOST_GAP_MS ? unknownMs : 0;
    // Nothing is open for longer unheard.
    const unheardMs = nowMs - this.open.endMs;
    if (unheardMs > MOST_UNHEARD_AT_GAPS_MS + MOST_GAP_MS + WINDOW_MS) this.open.clear();
    this.#nowMs = nowMs;
    const gapEndMs = from[next + 1]!;
    this.#gapEndMs = gapEndMs <= nowMs && gapEndMs >= this.open.endMs ? gapEndMs : Number.NaN;
    return next + 2;
  }

  #follow(sound: number, nowMs: number): void {
    const { open } = this;
    const { firstHz, firstShare, secondShare } = SPECTRUM;
    if (sound === open.sound && open.isOf(open.sound, firstHz)) {
      if (this.#unknownMs > 0) open.acrossGap = true;
      this.#unknownMs = 0;
      this.#gapEndMs = Number.NaN;
      open.heard(firstHz, firstShare + pairShare(sound, secondShare), this.#window.power, nowMs);
      return;
    }
    const isSettling = nowMs - this.#gapEndMs <= SETTLING_MS;
    if (this.#window.framePower < WEAK * open.power) {
      if (!isSettling) this.#endByPower(nowMs);
    } else if (sound !== SOUND.none || this.#isUnheard(nowMs)) {
      this.#close();
    }
  }

  /** Too long, though it is as loud: only a whole window since a gap can be heard. */
  #isUnheard(nowMs: number): boolean {
    const unheardMs = nowMs - this.open.endMs - this.#unknownMs;
    if (Number.isNaN(this.#gapEndMs)) return unheardMs > MOST_UNHEARD_MS;
    const sinceGapMs = nowMs - this.#gapEndMs;
    return sinceGapMs > MOST_UNHEARD_MS + SETTLING_MS || unheardMs > MOST_UNHEARD_AT_GAPS_MS;
  }

  #begin(nowMs: number): void {
    const power = this.#window.power;
    const { firstHz, firstShare, secondShare } = SPECTRUM;
    const sound = soundOf(SPECTRUM);
    const back = this.#startBack(power);
    const isClean = this.#isWeakFrom(back, power);
    // What comes out of other sound begins, for all that is known, with the window.
    this.open.begin(sound, nowMs - (isClean ? back * BLOCK_MS : WINDOW_MS), isClean);
    this.open.heard(firstHz, firstShare + pairShare(sound, secondShare), power, nowMs);
    this.#unknownMs = 0;
    this.#gapEndMs = Number.NaN;
    this.#onBegun(this.open);
  }

  /** Blocks from the beginning of the tone to now. */
  #startBack(power: number): number {
    const first = WINDOW_BLOCKS - SLACK_BLOCKS;
    let start = first;
    let weak = 0;
    for (let back = first; back < WINDOW_BLOCKS + MOST_BACK_BLOCKS; back += 1) {
      if (this.#window.blockPower(back) >= WEAK * power) {
        start = back + 1;
        weak = 0;
      } else {
        weak += 1;
        if (weak > MOST_WEAK_BLOCKS) break;
      }
    }
    return start;
  }

  /** Whether the frame before a block was much quieter, or is not known. */
  #isWeakFrom(back: number, power: number): boolean {
    let sum = 0;
    for (let block = back; block < back + SLACK_BLOCKS; block += 1) {
      sum += this.#window.blockPower(block);
    }
    return !(sum / SLACK_BLOCKS >= WEAK * power);
  }

  /** The newest frame is much quieter: the tone ended in it, or not long before. */
  #endByPower(nowMs: number): void {
    const { open } = this;
    let weak = 0;
    const heardBack = Math.round((nowMs - open.endMs) / BLOCK_MS) + SLACK_BLOCKS;
    let end = Math.min(heardBack, BLOCKS);
    for (let back = end - 1; back >= 0 && weak <= MOST_WEAK_BLOCKS; back -= 1) {
      if (this.#window.blockPower(back) >= WEAK * open.power) {
        end = back;
        weak = 0;
      } else {
        weak += 1;
      }
    }
    open.endMs = nowMs - end * BLOCK_MS;
    open.isCleanEnd = true;
    this.#close();
  }

  #close(): void {
    this.#unknownMs = 0;
    this.#gapEndMs = Number.NaN;
    this.#onClosed(this.open);
    this.open.clear();
  }
}

function pairShare(sound: number, secondShare: number): number {
  return sound === SOUND.single ? 0 : secondShare;
}
