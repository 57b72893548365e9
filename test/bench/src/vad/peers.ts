import type { SpeechTransition } from '@earshot/audio';
import createFvad from '@echogarden/fvad-wasm';
import createRnnoise from '@echogarden/rnnoise-wasm';
import type { Heard } from './detectors.js';
import { hear } from './detectors.js';
import { FRAME } from './sound.js';

// What the peers are asked to do is what ours does: talkspurts, with the same onset and hangover.
const ONSET_FRAMES = 2;
const HANGOVER_FRAMES = 15;

const fvad = await createFvad();
const fvadPcm = fvad._malloc(FRAME * 2);
const FVAD_MODES = [0, 1, 2, 3];

const rnnoise = await createRnnoise();
const RNNOISE_FRAME = 480;
const RATE_FACTOR = 3;
const rnnoisePcm = rnnoise._malloc(RNNOISE_FRAME * 4);

/**
 * WebRTC's detector. It says yes or no: its figure is how many of its four modes say yes, and a talkspurt
 * is what the strictest says.
 */
export function webrtc(pcm: Int16Array): Heard {
  const detectors = FVAD_MODES.map(newFvad);
  const spurts = new Talkspurts();
  const heard = hear(pcm, (frame, ms) => {
    const votes = detectors.map((detector) => askFvad(detector, frame));
    const score = votes.reduce((sum, vote) => sum + vote, 0);
    return { score, isHeard: true, transition: spurts.step(ms, votes.at(-1) === 1) };
  });
  for (const detector of detectors) fvad._fvad_free(detector);
  return heard;
}

/** RNNoise's own figure of voice, of the newer half of a frame; resampled to its 48 kHz by lines. */
export function rnnoiseVad(pcm: Int16Array): Heard {
  const ask = newRnnoise();
  const spurts = new Talkspurts();
  const heard = hear(pcm, (frame, ms) => {
    const score = ask.frame(frame);
    return { score, isHeard: true, transition: spurts.step(ms, score >= 0.5) };
  });
  ask.free();
  return heard;
}

/** What a frame costs each peer, without talkspurts. */
export const PEER_STEPS: Readonly<Record<string, () => (frame: Int16Array) => void>> = {
  'WebRTC VAD': () => {
    const detector = newFvad(3);
    return (frame) => void askFvad(detector, frame);
  },
  RNNoise: () => {
    const ask = newRnnoise();
    return (frame) => void ask.frame(frame);
  },
};

function newFvad(mode: number): number {
  const detector = fvad._fvad_new();
  fvad._fvad_set_mode(detector, mode);
  fvad._fvad_set_sample_rate(detector, 16_000);
  return detector;
}

function askFvad(detector: number, frame: Int16Array): number {
  fvad.HEAP16.set(frame, fvadPcm / 2);
  return fvad._fvad_process(detector, fvadPcm, FRAME);
}

function newRnnoise(): { frame(frame: Int16Array): number; free(): void } {
  const state = rnnoise._rnnoise_create(0);
  let last = 0;
  return {
    frame(frame) {
      let probability = 0;
      for (let half = 0; half < 2; half += 1) {
        const at = rnnoisePcm / 4;
        for (let i = 0; i < RNNOISE_FRAME / RATE_FACTOR; i += 1) {
          const next = frame[(half * RNNOISE_FRAME) / RATE_FACTOR + i]!;
          for (let k = 0; k < RATE_FACTOR; k += 1) {
            rnnoise.HEAPF32[at + i * RATE_FACTOR + k] =
              last + ((next - last) * (k + 1)) / RATE_FACTOR;
          }
          last = next;
        }
        probability = rnnoise._rnnoise_process_frame(state, rnnoisePcm, rnnoisePcm);
      }
      return probability;
    },
    free: () => rnnoise._rnnoise_destroy(state),
  };
}

/** Talkspurts of what says yes or no to each frame. */
export class Talkspurts {
  #yes = 0;
  #startMs: number | undefined;
  #endMs = 0;

  step(ms: number, isSpeech: boolean): SpeechTransition | undefined {
    this.#yes = isSpeech ? this.#yes + 1 : 0;
    const startMs = this.#startMs;
    if (isSpeech) this.#endMs = ms + 20;
    if (startMs === undefined) {
      if (this.#yes < ONSET_FRAMES) return undefined;
      this.#startMs = ms - (ONSET_FRAMES - 1) * 20;
      return { kind: 'started', startMs: this.#startMs };
    }
    if (ms + 20 - this.#endMs < HANGOVER_FRAMES * 20) return undefined;
    this.#startMs = undefined;
    return { kind: 'ended', startMs, endMs: this.#endMs };
  }
}
