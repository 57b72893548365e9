import type { CallToneKind } from '@earshot/call-tones';
import { amplitudeOf, toPcm, wholeFrames } from '../dtmf/cell.js';
import { addNoise, addSines, throughMuLaw } from '../dtmf/disturb.js';
import { SeededRandom } from '../seeded-random.js';

/** Published, so that anyone makes the same cells. */
export const TONE_SEED = 20_261_126;

/** Frequencies that sound together for so long; none is a pause. */
interface Part {
  readonly ms: number;
  readonly hz: readonly number[];
}

/** A tone of one kind, in silence or noise, which must be told once. */
export interface ToneCell {
  readonly kind: CallToneKind;
  readonly name: string;
  /** Where what must be heard to tell it ends, ms from the beginning. */
  readonly knownMs: number;
  /** PCM16 at 16 kHz, one channel, whole frames of 20 ms. */
  readonly render: () => Int16Array;
}

/** What a line does to a tone. */
interface Way {
  readonly name: string;
  readonly levelDbm0: number;
  /** Frequencies are off by this share. */
  readonly off: number;
  readonly snrDb?: number;
  readonly muLaw?: boolean;
  /** Silence in the middle of each tone. */
  readonly breakMs?: number;
}

const WAYS: readonly Way[] = [
  ...[-4, -13, -22, -30, -38].map((levelDbm0) => ({
    name: `${levelDbm0} dBm0`,
    levelDbm0,
    off: 0,
  })),
  ...[-0.005, 0.005].map((off) => ({ name: `off ${100 * off} %`, levelDbm0: -16, off })),
  ...[15, 20, 30].map((snrDb) => ({
    name: `${snrDb} dB over telephone noise`,
    levelDbm0: -16,
    off: 0,
    snrDb,
  })),
  ...[-10, -25].map((levelDbm0) => ({
    name: `μ-law at ${levelDbm0} dBm0`,
    levelDbm0,
    off: 0,
    muLaw: true,
  })),
  ...[3, 5, 10].map((breakMs) => ({
    name: `with breaks of ${breakMs} ms`,
    levelDbm0: -16,
    off: 0,
    breakMs,
  })),
];

const LEAD_MS = 500;
const TAIL_MS = 500;
/** From the beginning of a dial tone until it is known for one. */
const DIAL_MS = 3000;

interface Tone {
  readonly kind: CallToneKind;
  readonly name: string;
  readonly parts: readonly Part[];
  /** Parts that must have been heard. */
  readonly knownParts: number;
}

/** Each tone in each way; where in its frame each begins is drawn by lot. */
export function toneCells(): ToneCell[] {
  const random = new SeededRandom(TONE_SEED);
  return tones().flatMap((tone) =>
    WAYS.map((way) => {
      const leadMs = LEAD_MS + random.below(200) / 10;
      const seed = TONE_SEED + random.below(1_000_000);
      const heardMs =
        tone.kind === 'dial' ? DIAL_MS : lengthOf(tone.parts.slice(0, tone.knownParts));
      return {
        kind: tone.kind,
        name: `${tone.name}, ${way.name}`,
        knownMs: leadMs + heardMs,
        render: () => render(tone.parts, way, leadMs, seed),
      };
    }),
  );
}

function tones(): Tone[] {
  const one = (kind: CallToneKind, name: string, hz: readonly number[], ms: number): Tone => ({
    kind,
    name,
    parts: [{ ms, hz }],
    knownParts: 1,
  });
  const on = (
    kind: CallToneKind,
    name: string,
    hz: readonly number[],
    periodsMs: readonly number[],
    knownParts = 3,
  ): Tone => ({
    kind,
    name,
    parts: periodsMs.map((ms, n) => ({ ms, hz: n % 2 === 0 ? hz : [] })),
    knownParts,
  });
  const rising = (name: string, hz: readonly number[], lengthsMs: readonly number[]): Tone => ({
    kind: 'sit',
    name,
    parts: hz.map((each, n) => ({ ms: lengthsMs[n]!, hz: [each] })),
    knownParts: 3,
  });
  return [
    ...[170, 250, 400, 1000].flatMap((ms) =>
      [850, 1000, 1400, 2000].map((hz) => one('beep', `${hz} Hz for ${ms} ms`, [hz], ms)),
    ),
    on('faxCng', 'CNG', [1100], [500, 3000, 500, 3000, 500], 1),
    one('faxCed', 'CED', [2100], 3000),
    on('ringback', 'North America', [440, 480], [2000, 4000, 2000, 4000, 2000]),
    on('ringback', 'Europe', [425], [1000, 4000, 1000, 4000, 1000]),
    on('ringback', 'Britain', [400, 450], [400, 200, 400, 2000, 400, 200, 400]),
    on('busy', 'North America', [480, 620], [500, 500, 500, 500, 500]),
    on('busy', 'Europe', [425], [500, 500, 500, 500, 500]),
    on('busy', 'Britain', [400], [375, 375, 375, 375, 375]),
    on('reorder', 'North America', [480, 620], [250, 250, 250, 250, 250]),
    on('reorder', 'Europe', [425], [200, 200, 200, 200, 200]),
    on('reorder', 'Britain', [400], [400, 350, 225, 525, 400, 350, 225]),
    one('dial', 'North America', [350, 440], 5000),
    one('dial', 'Europe', [425], 5000),
    rising('intercept', [913.8, 1370.6, 1776.7], [276, 276, 380]),
    rising('no circuit', [985.2, 1428.5, 1776.7], [380, 380, 380]),
  ];
}

function render(parts: readonly Part[], way: Way, leadMs: number, seed: number): Int16Array {
  const random = new SeededRandom(seed);
  const sound = new Float64Array(wholeFrames(leadMs + lengthOf(parts) + TAIL_MS));
  const level = amplitudeOf(way.levelDbm0);
  let atMs = leadMs;
  for (const { ms, hz } of parts) {
    const amplitude = level / Math.sqrt(Math.max(1, hz.length));
    const sines = hz.map((each) => ({
      hz: each * (1 + way.off),
      amplitude,
      phase: Math.PI * random.signed(),
    }));
    const { breakMs = 0 } = way;
    const halfMs = (ms - breakMs) / 2;
    addSines(sound, atMs, halfMs, sines);
    addSines(sound, atMs + halfMs + breakMs, halfMs, sines);
    atMs += ms;
  }
  if (way.snrDb !== undefined) {
    const rms = (level / Math.SQRT2) * 10 ** (-way.snrDb / 20);
    addNoise(sound, rms, 'telephone', random);
  }
  return way.muLaw === true ? throughMuLaw(toPcm(sound)) : toPcm(sound);
}

function lengthOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { ms }) => sum + ms, 0);
}
