import type { SpeechTransition } from '@earshot/audio';
import { PTIME_MS } from '@earshot/audio';
import type { CloseMode } from './frame-ring.js';
import type { PcmRing } from './pcm-ring.js';
import { PCM_RECORD } from './pcm-ring.js';

/** What a pipeline tells its recognizer, if it has one. `expected` is the sequence it is at. */
export class ListenerTap {
  #ring: PcmRing | undefined;

  constructor(ring: PcmRing | undefined) {
    this.#ring = ring;
  }

  /** Gives all from now on to another, or to none. */
  listen(ring: PcmRing | undefined): void {
    this.#ring = ring;
  }

  sound(mediaTimeMs: number, pcm: Int16Array, expected: number): void {
    const ring = this.#ring;
    if (ring === undefined) return;
    ring.timeMs[0] = mediaTimeMs;
    ring.sound(expected, pcm);
  }

  silence(mediaTimeMs: number, expected: number): void {
    this.#ring?.note(PCM_RECORD.silence, mediaTimeMs, PTIME_MS, expected);
  }

  lost(startMs: number, frames: number, expected: number): void {
    this.#ring?.note(PCM_RECORD.lost, startMs, frames * PTIME_MS, expected);
  }

  speech(transition: SpeechTransition, expected: number): void {
    if (transition.kind === 'started') this.speechStarted(transition.startMs, expected);
    else this.#ring?.note(PCM_RECORD.speechEnded, transition.endMs, 0, expected);
  }

  speechStarted(startMs: number, expected: number): void {
    this.#ring?.note(PCM_RECORD.speechStarted, startMs, 0, expected);
  }

  closed(endMs: number, mode: CloseMode, expected: number): void {
    this.#ring?.note(PCM_RECORD.closed, endMs, mode, expected);
  }
}
