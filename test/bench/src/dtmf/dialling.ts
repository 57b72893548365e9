import type { Digit } from '@earshot/dtmf';
import { DIGITS, toneFrequencies } from '@earshot/dtmf';
import { SeededRandom } from '../seeded-random.js';
import type { Cell, CellGroup } from './cell.js';
import { amplitudeOf, CELL_RATE_HZ, toPcm, wholeFrames } from './cell.js';
import { addEcho, addNoise, addSines, throughMuLaw } from './disturb.js';

/** How sixteen digits are dialled, one after another, in an order of their own. */
export interface Dialling {
  readonly toneMs: number;
  readonly pauseMs: number;
  /** How far off the tones are, as a share of their frequencies. */
  readonly lowOff: number;
  readonly highOff: number;
  /** Of each tone, were they equal. */
  readonly levelDbm0: number;
  /** High tone over low tone. */
  readonly twistDb: number;
  /** Silence in the middle of each tone, within `toneMs`. */
  readonly breakMs: number;
  /** Noise so far below both tones together. */
  readonly noise?: { readonly snrDb: number; readonly band: 'telephone' | 'wide' };
  readonly echo?: { readonly delayMs: number; readonly downDb: number };
  /** 350 + 440 Hz going on under the digits, so far below both tones together. */
  readonly dialToneDownDb?: number;
  /** A third tone as strong as each of the two. */
  readonly thirdHz?: number;
  /** The two tones of a digit, or one alone. */
  readonly tones: 'both' | 'low' | 'high';
  readonly muLaw: boolean;
}

export const PLAIN: Dialling = {
  toneMs: 50,
  pauseMs: 50,
  lowOff: 0,
  highOff: 0,
  levelDbm0: -10,
  twistDb: 0,
  breakMs: 0,
  tones: 'both',
  muLaw: false,
};

const LEAD_MS = 60;
const TAIL_MS = 120;

/** A cell of sixteen digits; `seed` gives their order, their phases and where they begin. */
export function dialled(
  group: CellGroup,
  name: string,
  how: Partial<Dialling>,
  seed: number,
): Cell {
  const dialling = { ...PLAIN, ...how };
  const random = new SeededRandom(seed);
  const keys = shuffled(random);
  // Every second cell dials eight digits twice in a row: what is doubled or joined shows there.
  const digits = seed % 2 === 0 ? keys : keys.slice(0, 8).flatMap((digit) => [digit, digit]);
  const leadMs = LEAD_MS + random.below(200) / 10;
  const stepMs = dialling.toneMs + dialling.pauseMs;
  const startsMs = digits.map((_, n) => leadMs + n * stepMs);
  return {
    group,
    name,
    digits: digits.join(''),
    toneMs: dialling.toneMs,
    endsMs: startsMs.map((startMs) => startMs + dialling.toneMs),
    render: () => render(dialling, digits, startsMs, seed),
  };
}

function render(
  how: Dialling,
  digits: readonly Digit[],
  startsMs: readonly number[],
  seed: number,
): Int16Array {
  const random = new SeededRandom(seed + 0x5eed);
  const endMs = startsMs.at(-1)! + how.toneMs + TAIL_MS;
  const sound = new Float64Array(wholeFrames(endMs));
  const low = amplitudeOf(how.levelDbm0 - how.twistDb / 2);
  const high = amplitudeOf(how.levelDbm0 + how.twistDb / 2);
  digits.forEach((digit, n) => {
    const [lowHz, highHz] = toneFrequencies(digit);
    const sines = [
      { hz: lowHz * (1 + how.lowOff), amplitude: how.tones === 'high' ? 0 : low },
      { hz: highHz * (1 + how.highOff), amplitude: how.tones === 'low' ? 0 : high },
      { hz: how.thirdHz ?? 400, amplitude: how.thirdHz === undefined ? 0 : low },
    ].map((sine) => ({ ...sine, phase: Math.PI * random.signed() }));
    const halfMs = (how.toneMs - how.breakMs) / 2;
    addSines(sound, startsMs[n]!, halfMs, sines);
    addSines(sound, startsMs[n]! + halfMs + how.breakMs, halfMs, sines);
  });
  const both = Math.sqrt((low * low + high * high) / 2);
  if (how.echo !== undefined) addEcho(sound, how.echo.delayMs, how.echo.downDb);
  if (how.dialToneDownDb !== undefined) {
    const amplitude = both * 10 ** (-how.dialToneDownDb / 20);
    const sines = [350, 440].map((hz) => ({ hz, amplitude, phase: 0 }));
    addSines(sound, 0, (sound.length / CELL_RATE_HZ) * 1000, sines);
  }
  if (how.noise !== undefined) {
    addNoise(sound, both * 10 ** (-how.noise.snrDb / 20), how.noise.band, random);
  }
  return how.muLaw ? throughMuLaw(toPcm(sound)) : toPcm(sound);
}

function shuffled(random: SeededRandom): Digit[] {
  const keys = [...DIGITS];
  for (let n = keys.length - 1; n > 0; n -= 1) {
    const other = random.below(n + 1);
    [keys[n], keys[other]] = [keys[other]!, keys[n]!];
  }
  return keys;
}
