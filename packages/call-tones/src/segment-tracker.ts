import { BrokenSpectrum, LEAST_BROKEN_SHARE } from './broken-spectrum.js';
import { SineFit } from './sine-fit.js';
import type { SoundWindow } from './sound-window.js';
import { BLOCK_MS, BLOCKS, FRAME_SAMPLES, WINDOW_MS } from './sound-window.js';
import type { TwoTones } from './spectrum.js';
import { Spectrum } from './spectrum.js';
import { SEGMENT_NUMBERS, ToneSegment } from './tone-segment.js';
import type { Sound } from './tone-sound.js';
import { pairOf, SOUND, soundOf } from './tone-sound.js';

/** A power below this part of the tone's is its end: −6 dB. */
const WEAK = 0.25;

/** After a gap a codec may make a tone so quiet, for so long: −20 dB. */
const FAINT = 0.01;
const FAINT_BLOCKS = 16;

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
const LONGEST_GAP_BLOCKS = MOST_GAP_MS / BLOCK_MS;

/** So long after a gap a codec may take until it is as loud as what was sent. */
const SETTLING_MS = 60;

/** What of a frame after a gap is the tone's, if it still sounds. */
const LEAST_PURE_SHARE = 0.75;

/** A tone between one gap and the next may go unheard for so long altogether. */
const MOST_UNHEARD_AT_GAPS_MS = 500;

/** Numbers that `SegmentTracker.save` writes. */
export const TRACKER_NUMBERS: number = SEGMENT_NUMBERS + 3;

/** One for all: it keeps nothing from one window to the next. */
const SPECTRUM = new Spectrum();
const BROKEN_SPECTRUM = new BrokenSpectrum();
const FIT = new SineFit();

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
  /** Mean square of the tone when it was last heard, which after a gap may be less than was sent. */
  #level = 0;
  /** What the present window was read by. */
  #tones: TwoTones = SPECTRUM;
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
    const sound = window.isBroken ? this.#readBroken() : this.#readWhole();
    if (open.sound !== SOUND.none) this.#follow(sound, nowMs);
    if (open.sound === SOUND.none && sound !== SOUND.none) this.#begin(sound, nowMs);
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
    out[next + 2] = this.#level;
    return next + 3;
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
    this.#level = Math.max(0, from[next + 2]! || 0);
    return next + 3;
  }

  #readWhole(): Sound {
    if (!this.#window.isSteady) return SOUND.none;
    SPECTRUM.read(this.#window);
    this.#tones = SPECTRUM;
    return soundOf(SPECTRUM);
  }

  #readBroken(): Sound {
    if (!this.#window.isReadable) return SOUND.none;
    BROKEN_SPECTRUM.read(this.#window);
    this.#tones = BROKEN_SPECTRUM;
    return soundOf(BROKEN_SPECTRUM, LEAST_BROKEN_SHARE);
  }

  #follow(sound: number, nowMs: number): void {
    const { open } = this;
    const window = this.#window;
    const { firstHz, firstShare, secondShare } = this.#tones;
    if (sound === open.sound && open.isOf(open.sound, firstHz)) {
      // How loud it was sent is not known there.
      const power = window.isBroken ? open.power : window.power;
      open.heard(firstHz, firstShare + pairShare(sound, secondShare), power, nowMs);
      this.#goesOn();
      return;
    }
    // Before a whole window is heard again, and while its phase is turned about.
    if (window.isSettling && this.#isPure()) {
      open.endMs = nowMs;
      this.#goesOn();
      return;
    }
    if (window.framePower < WEAK * this.#level) {
      if (window.sinceGapMs > SETTLING_MS) this.#endByPower(nowMs);
    } else if (sound !== SOUND.none || this.#isUnheard(nowMs)) {
      this.#close();
    }
  }

  /** The tone was heard in the newest frame. */
  #goesOn(): void {
    if (this.#unknownMs > 0) this.open.acrossGap = true;
    if (this.#window.isBroken) this.open.isNearGap = true;
    this.#unknownMs = 0;
    this.#gapEndMs = Number.NaN;
    const { isSettling, framePower } = this.#window;
    this.#level = isSettling ? Math.min(framePower, this.open.power) : this.open.power;
  }

  /** Whether the newest frame, however loud, is of nothing but the tone. */
  #isPure(): boolean {
    const { samples, newest, framePower } = this.#window;
    if (this.#window.knownPower(0) === 0) return false;
    const pair = pairOf(this.open.sound);
    FIT.begin(pair?.lowHz ?? this.open.hz, pair?.highHz ?? Number.NaN);
    FIT.add(samples, newest, FRAME_SAMPLES, 0);
    return FIT.solve() >= LEAST_PURE_SHARE * framePower * FRAME_SAMPLES;
  }

  /** Too long, though it is as loud: only a whole window since a gap can be heard. */
  #isUnheard(nowMs: number): boolean {
    const unheardMs = nowMs - this.open.endMs - this.#unknownMs;
    if (Number.isNaN(this.#gapEndMs)) return unheardMs > MOST_UNHEARD_MS;
    const sinceGapMs = nowMs - this.#gapEndMs;
    return sinceGapMs > MOST_UNHEARD_MS + SETTLING_MS || unheardMs > MOST_UNHEARD_AT_GAPS_MS;
  }

  #begin(sound: Sound, nowMs: number): void {
    const { isBroken, power: wholePower, mostPower } = this.#window;
    const power = isBroken ? mostPower : wholePower;
    const { firstHz, firstShare, secondShare } = this.#tones;
    const back = this.#startBack(power);
    const isClean = this.#isWeakFrom(back, power);
    // What comes out of other sound begins, for all that is known, with the window.
    const backMs = isClean ? this.#middle(back, 1) * BLOCK_MS : WINDOW_MS;
    this.open.begin(sound, nowMs - backMs, isClean);
    this.open.heard(firstHz, firstShare + pairShare(sound, secondShare), power, nowMs);
    this.#goesOn();
    this.#onBegun(this.open);
  }

  /** Blocks from the beginning of the tone to now. */
  #startBack(power: number): number {
    const window = this.#window;
    const first = WINDOW_BLOCKS - SLACK_BLOCKS;
    let start = first;
    let weak = 0;
    // After a gap it may have become loud by and by.
    let level = power;
    if (this.#isAfterGap(first) && window.blockPower(first - 1) < power) {
      level = Math.max(window.blockPower(first - 1), FAINT * power);
    }
    let most = WINDOW_BLOCKS + MOST_BACK_BLOCKS;
    for (let back = first; back < most && weak <= MOST_WEAK_BLOCKS; back += 1) {
      const block = window.blockPower(back);
      if (Number.isNaN(block)) {
        most = Math.min(BLOCKS, most + 1);
        level = power;
      } else if (block >= WEAK * level) {
        start = back + 1;
        weak = 0;
        if (level < power) level = Math.max(block, FAINT * power);
      } else {
        weak += 1;
      }
    }
    return start;
  }

  /** Whether a gap lies so shortly before a block that a codec may have been quiet since. */
  #isAfterGap(block: number): boolean {
    for (let back = block; back < block + FAINT_BLOCKS; back += 1) {
      if (this.#isUnknown(back)) return true;
    }
    return false;
  }

  #isUnknown(back: number): boolean {
    return Number.isNaN(this.#window.blockPower(back));
  }

  /**
   * An edge that lies at a gap is in the middle of it, for all that is known.
   *
   * @param back of the edge, in blocks from now
   * @param towards 1 when the gap would come before the edge, −1 after
   */
  #middle(back: number, towards: 1 | -1): number {
    const first = towards > 0 ? back : back - 1;
    let blocks = 0;
    while (blocks < LONGEST_GAP_BLOCKS && this.#isUnknown(first + towards * blocks)) blocks += 1;
    return back + (towards * blocks) / 2;
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
      const block = this.#window.blockPower(back);
      if (block >= WEAK * this.#level) {
        end = back;
        weak = 0;
      } else if (!Number.isNaN(block)) {
        weak += 1;
      }
    }
    open.endMs = nowMs - this.#middle(end, -1) * BLOCK_MS;
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
