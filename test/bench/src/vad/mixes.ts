import { readMusic, readSpeech } from '../dtmf/recordings.js';
import { SeededRandom } from '../seeded-random.js';
import { FRAME, frameLevels, fromPcm, gainTo, levelOf, toSessionRate } from './sound.js';
import { readWideSpeech } from './wide-speech.js';

/** Published, so that anybody gets the same mixes. */
export const SEED = 20_261_126;

/** What is heard: a sound and, by frame of 20 ms, whether somebody speaks in it. */
export interface Mix {
  readonly name: string;
  readonly pcm: Int16Array;
  readonly isSpeech: readonly boolean[];
}

const SPEECH_DBFS = -26;
const PAUSE_FRAMES = 60;
/** Speech lies within this of the loudest frame; pauses shorter than the talkspurts' hangover are bridged. */
const SPEECH_RANGE_DB = 35;
const BRIDGED_FRAMES = 15;
const NOISE_ONLY = 'noise only';
const NOISE_ONLY_SECONDS = 20;

type Noise = (samples: number) => Float64Array;

/**
 * Prompts in five languages with pauses, clean and in noise, and each noise alone: recorded at 16 kHz, as a
 * meeting's sound is, and at 8 kHz, as a telephone's.
 *
 * @throws Error when the recordings can't be had, such as offline.
 */
export async function makeMixes(quick: boolean): Promise<Mix[]> {
  const random = new SeededRandom(SEED);
  const music = (await readMusic()).map(({ pcm }) => toSessionRate(pcm));
  const wide = (await readWideSpeech(quick)).map(fromPcm);
  const narrow = (await readSpeech(quick)).map(({ pcm }) => pcm);
  const choose = <T>(of: readonly T[]): T[] =>
    Array.from({ length: quick ? 20 : 100 }, () => of[random.below(of.length)]!);
  return [
    ...mixWithNoises(random, choose(wide), music[0]!),
    ...mixWithNoises(random, choose(narrow).map(toSessionRate), music[0]!)
      .filter(({ name }) => name !== NOISE_ONLY)
      .map((mix) => ({ ...mix, name: `${mix.name}, 8 kHz` })),
  ];
}

function mixWithNoises(
  random: SeededRandom,
  speech: readonly Float64Array[],
  music: Float64Array,
): Mix[] {
  const chosen = speech.map((sound) => gainTo(sound, SPEECH_DBFS));
  const clean = track(chosen);
  const isSpeech = label(clean);
  const noises = makeNoises(random, chosen, music);
  const room = noises['white']!(clean.length);
  const mixes: Mix[] = [{ name: 'clean', pcm: mix(clean, room, 50), isSpeech }];
  for (const [name, noise] of Object.entries(noises)) {
    for (const snrDb of [10, 0]) {
      mixes.push({ name: `${snrDb} dB`, pcm: mix(clean, noise(clean.length), snrDb), isSpeech });
    }
    if (name === 'babble') continue;
    const samples = NOISE_ONLY_SECONDS * 16_000;
    const pcm = mix(new Float64Array(samples), noise(samples), 10);
    mixes.push({ name: NOISE_ONLY, pcm, isSpeech: label(new Float64Array(samples)) });
  }
  return mixes;
}

function track(parts: readonly Float64Array[]): Float64Array {
  const pause = PAUSE_FRAMES * FRAME;
  const whole = new Float64Array(parts.reduce((sum, part) => sum + part.length + pause, pause));
  let at = pause;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length + pause;
  }
  return whole;
}

function label(clean: Float64Array): boolean[] {
  const levels = frameLevels(clean);
  const least = Math.max(-60, Math.max(...levels) - SPEECH_RANGE_DB);
  const isSpeech = levels.map((level) => level > least);
  let last = -1;
  isSpeech.forEach((speech, n) => {
    if (!speech) return;
    if (last >= 0 && n - last <= BRIDGED_FRAMES) isSpeech.fill(true, last, n);
    last = n;
  });
  return isSpeech;
}

/** Noise below the speech's own level, whatever the pauses. */
function mix(clean: Float64Array, noise: Float64Array, snrDb: number): Int16Array {
  const gain = 10 ** ((SPEECH_DBFS - snrDb - levelOf(noise)) / 20);
  return Int16Array.from(clean, (sample, i) => {
    const value = Math.round((sample + gain * noise[i]!) * 32_768);
    return Math.max(-32_768, Math.min(32_767, value));
  });
}

function makeNoises(
  random: SeededRandom,
  voices: readonly Float64Array[],
  music: Float64Array,
): Record<string, Noise> {
  const white: Noise = (samples) => Float64Array.from({ length: samples }, () => random.signed());
  return {
    white,
    pink: (samples) => {
      let slow = 0;
      let slower = 0;
      return white(samples).map((w) => {
        slow = 0.95 * slow + w;
        slower = 0.997 * slower + w;
        return w + 0.5 * slow + 0.3 * slower;
      });
    },
    hum: (samples) =>
      Float64Array.from({ length: samples }, (_, i) =>
        [1, 2, 3, 5].reduce((sum, h) => sum + Math.sin((2 * Math.PI * 50 * h * i) / 16_000) / h, 0),
      ),
    keys: (samples) => {
      const out = new Float64Array(samples);
      for (let at = 0; at < samples; at += 1600 + random.below(4800)) {
        for (let i = 0; i < 480 && at + i < samples; i += 1) {
          out[at + i] = random.signed() * Math.exp(-i / 80);
        }
      }
      return out;
    },
    music: (samples) => Float64Array.from({ length: samples }, (_, i) => music[i % music.length]!),
    babble: (samples) => {
      const out = new Float64Array(samples);
      for (let voice = 0; voice < 8; voice += 1) {
        let at = random.below(16_000);
        while (at < samples) {
          const part = voices[random.below(voices.length)]!;
          for (let i = 0; i < part.length && at + i < samples; i += 1)
            out[at + i] = out[at + i]! + part[i]!;
          at += part.length + random.below(4000);
        }
      }
      return out;
    },
  };
}
