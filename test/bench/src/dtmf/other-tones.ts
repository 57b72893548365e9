import { SeededRandom } from '../seeded-random.js';
import type { Cell } from './cell.js';
import { amplitudeOf, CELL_RATE_HZ, toPcm, wholeFrames } from './cell.js';
import { CELL_SEED } from './dialled-cells.js';
import { addNoise, addSines } from './disturb.js';

/** So long each: these frequencies together; none is silence. */
interface Piece {
  readonly ms: number;
  readonly hz: readonly number[];
}

const LEVEL_DBM0 = -12;
const LEAD_MS = 100;

/** What telephones and music sound like besides digits: none of it may be heard as one. */
export function otherCells(): Cell[] {
  return [
    ...progressTones(),
    ...faxTones(),
    ...signalling(),
    ...chords(),
    ...sweeps(),
    ...noises(),
  ];
}

function progressTones(): Cell[] {
  const cadence = (onMs: number, offMs: number, hz: readonly number[]): Piece[] =>
    Array.from({ length: 5 }, () => [
      { ms: onMs, hz },
      { ms: offMs, hz: [] },
    ]).flat();
  return [
    pieces('dial tone, North America', [{ ms: 3000, hz: [350, 440] }]),
    pieces('dial tone, Europe', [{ ms: 3000, hz: [425] }]),
    pieces('dial tone, France', [{ ms: 3000, hz: [330, 440] }]),
    pieces('dial tone, Japan', [{ ms: 3000, hz: [400] }]),
    pieces('ringback, North America', cadence(2000, 400, [440, 480])),
    pieces('ringback, Europe', cadence(1000, 400, [425])),
    pieces('ringback, United Kingdom', cadence(400, 200, [400, 450])),
    pieces('busy, North America', cadence(500, 500, [480, 620])),
    pieces('busy, Europe', cadence(480, 480, [425])),
    pieces('reorder', cadence(250, 250, [480, 620])),
    pieces('howler', cadence(100, 100, [1400, 2060, 2450, 2600])),
    pieces('call waiting', cadence(300, 700, [440])),
    pieces('SIT, vacant', sit(985.2, 1428.5, 1776.7, 380)),
    pieces('SIT, intercept', sit(913.8, 1370.6, 1776.7, 274)),
    pieces('SIT, reorder', sit(985.2, 1370.6, 1776.7, 276)),
    pieces('recording beep', cadence(500, 500, [1400])),
    pieces('answering machine, 1000 Hz', cadence(600, 300, [1000])),
    pieces('answering machine, 440 + 880 Hz', cadence(600, 300, [440, 880])),
  ];
}

function sit(firstHz: number, secondHz: number, thirdHz: number, ms: number): Piece[] {
  return [firstHz, secondHz, thirdHz].map((hz) => ({ ms, hz: [hz] }));
}

function faxTones(): Cell[] {
  const random = new SeededRandom(CELL_SEED + 2);
  const keyed = (oneHz: number, zeroHz: number, baud: number): Piece[] =>
    Array.from({ length: 400 }, () => ({
      ms: 1000 / baud,
      hz: [random.below(2) === 0 ? oneHz : zeroHz],
    }));
  return [
    pieces('fax CNG', [
      { ms: 500, hz: [1100] },
      { ms: 3000, hz: [] },
      { ms: 500, hz: [1100] },
    ]),
    pieces('fax CED', [{ ms: 3000, hz: [2100] }]),
    pieces('V.21, low channel', keyed(980, 1180, 300)),
    pieces('V.21, high channel', keyed(1650, 1850, 300)),
    pieces('V.23', keyed(1300, 2100, 1200)),
    pieces('Bell 202', keyed(1200, 2200, 1200)),
    pieces('V.8bis', [
      { ms: 400, hz: [1375, 2002] },
      { ms: 100, hz: [1529] },
    ]),
  ];
}

const R1_HZ = [700, 900, 1100, 1300, 1500, 1700];
const R2_FORWARD_HZ = [1380, 1500, 1620, 1740, 1860, 1980];
const R2_BACKWARD_HZ = [1140, 1020, 900, 780, 660, 540];

function signalling(): Cell[] {
  const keyed = (hz: readonly number[], ms: number): Piece[] =>
    pairsOf(hz).flatMap((pair) => [
      { ms, hz: pair },
      { ms: 68, hz: [] },
    ]);
  return [
    ...[68, 100, 300].flatMap((ms) => [
      pieces(`R1 MF, ${ms} ms`, keyed(R1_HZ, ms)),
      pieces(`R2 MF forward, ${ms} ms`, keyed(R2_FORWARD_HZ, ms)),
      pieces(`R2 MF backward, ${ms} ms`, keyed(R2_BACKWARD_HZ, ms)),
    ]),
    pieces('single frequency', [{ ms: 2000, hz: [2600] }]),
    pieces(
      'selective calling (CCIR)',
      [1981, 1124, 1197, 1275, 1358, 1446, 1540, 1640, 1747, 1860, 2110].map((hz) => ({
        ms: 100,
        hz: [hz],
      })),
    ),
  ];
}

function pairsOf(hz: readonly number[]): number[][] {
  return hz.flatMap((one, n) => hz.slice(n + 1).map((other) => [one, other]));
}

const CHORDS: readonly (readonly [string, readonly number[]])[] = [
  ['major', [0, 4, 7]],
  ['minor', [0, 3, 7]],
  ['seventh', [0, 4, 7, 10]],
  ['major seventh', [0, 4, 7, 11]],
  ['diminished', [0, 3, 6, 9]],
  ['octaves', [0, 12, 19, 24]],
];

/** Chords from every semitone of two octaves: of pure sines, and as an organ and strings have them. */
function chords(): Cell[] {
  return CHORDS.flatMap(([name, steps]) =>
    [1, 3, 8].map((harmonics) =>
      pieces(
        `chords, ${name}, ${harmonics} partials`,
        Array.from({ length: 25 }, (_, root) => [
          { ms: 300, hz: chord(root, steps) },
          { ms: 60, hz: [] },
        ]).flat(),
        harmonics,
      ),
    ),
  );
}

function chord(root: number, steps: readonly number[]): number[] {
  return steps.map((step) => 261.63 * 2 ** ((root + step) / 12));
}

function sweeps(): Cell[] {
  return [0.5, 1, 2, 4, 8].flatMap((seconds) => [
    sound(`one sweep, ${seconds} s`, seconds, (out) => sweep(out, 300, 3400)),
    sound(`two sweeps, ${seconds} s`, seconds, (out) => {
      sweep(out, 600, 1000);
      sweep(out, 1100, 1700);
    }),
    sound(`two sweeps against each other, ${seconds} s`, seconds, (out) => {
      sweep(out, 600, 1000);
      sweep(out, 1700, 1100);
    }),
  ]);
}

function noises(): Cell[] {
  return (['telephone', 'wide'] as const).map((band) =>
    sound(`${band} noise`, 20, (out) => addNoise(out, 3000, band, new SeededRandom(CELL_SEED))),
  );
}

function sweep(out: Float64Array, fromHz: number, toHz: number): void {
  const amplitude = amplitudeOf(LEVEL_DBM0);
  let phase = 0;
  for (let i = 0; i < out.length; i += 1) {
    phase += (2 * Math.PI * (fromHz + ((toHz - fromHz) * i) / out.length)) / CELL_RATE_HZ;
    out[i]! += amplitude * Math.sin(phase);
  }
}

/** Each piece's frequencies are as strong as each other; partial `n` has a share of `1 / n`. */
function pieces(name: string, list: readonly Piece[], harmonics = 1): Cell {
  const seconds = (2 * LEAD_MS + list.reduce((sum, { ms }) => sum + ms, 0)) / 1000;
  return sound(name, seconds, (out) => {
    let atMs = LEAD_MS;
    for (const { ms, hz } of list) {
      const amplitude = amplitudeOf(LEVEL_DBM0 - 10 * Math.log10(Math.max(1, hz.length / 2)));
      const sines = hz.flatMap((base) =>
        Array.from({ length: harmonics }, (_, n) => ({
          hz: base * (n + 1),
          amplitude: amplitude / (n + 1),
          phase: n + base,
        })),
      );
      addSines(out, atMs, ms, sines);
      atMs += ms;
    }
  });
}

function sound(name: string, seconds: number, write: (out: Float64Array) => void): Cell {
  return {
    group: 'silent',
    name,
    digits: '',
    endsMs: [],
    toneMs: 0,
    render: () => {
      const out = new Float64Array(wholeFrames(seconds * 1000));
      write(out);
      return toPcm(out);
    },
  };
}
