import { SeededRandom } from '../seeded-random.js';
import type { Cell } from './cell.js';
import type { Dialling } from './dialling.js';
import { dialled } from './dialling.js';

/** Published, so that anyone makes the same cells. */
export const CELL_SEED = 20_261_126;

interface Way {
  readonly name: string;
  readonly how: Partial<Dialling>;
}

const RANDOM_CELLS = 120;

/** Digits within ITU-T Q.24's and ETSI ES 201 235-3's limits: each must be heard once. */
export function acceptCells(): Cell[] {
  return numbered('accept', 0, [
    ...frequencies(),
    ...levels(),
    ...twists(),
    ...timings(),
    ...breaks(),
    ...noises(),
    ...echoes(),
    ...dialTones(),
    ...lines(),
    ...anyWithin(),
  ]);
}

/** Digits beyond the limits: none may be heard. */
export function rejectCells(): Cell[] {
  return numbered('reject', 100_000, [
    ...wrongFrequencies(),
    ...tooShort(),
    ...wrongLevels(),
    ...notTwo(),
  ]);
}

function numbered(group: 'accept' | 'reject', first: number, ways: readonly Way[]): Cell[] {
  return ways.map(({ name, how }, n) => dialled(group, name, how, CELL_SEED + first + 7919 * n));
}

const OFF = [-0.015, -0.0075, 0, 0.0075, 0.015];

function frequencies(): Way[] {
  return OFF.flatMap((lowOff) =>
    OFF.flatMap((highOff) =>
      [40, 100].map((toneMs) => ({
        name: `off ${percent(lowOff)} ${percent(highOff)}, ${toneMs} ms`,
        how: { lowOff, highOff, toneMs, pauseMs: toneMs },
      })),
    ),
  );
}

function levels(): Way[] {
  return [0, -2, -4, -7, -10, -14, -18, -22, -25, -30, -35].flatMap((levelDbm0) => [
    { name: `${levelDbm0} dBm0`, how: { levelDbm0 } },
    { name: `${levelDbm0} dBm0, 40 ms`, how: { levelDbm0, toneMs: 40, pauseMs: 40 } },
  ]);
}

function twists(): Way[] {
  return [-8, -6, -4, -2, 2, 4].flatMap((twistDb) => [
    ...[-6, -15, -22].map((levelDbm0) => ({
      name: `twist ${twistDb} dB at ${levelDbm0} dBm0`,
      how: { twistDb, levelDbm0 },
    })),
    ...[-0.015, 0.015].map((lowOff) => ({
      name: `twist ${twistDb} dB, off ${percent(lowOff)} ${percent(-lowOff)}`,
      how: { twistDb, lowOff, highOff: -lowOff },
    })),
  ]);
}

function timings(): Way[] {
  return [40, 45, 60, 80, 120, 250].flatMap((toneMs) =>
    [40, 60, 100, 200].map((pauseMs) => ({
      name: `${toneMs} ms on, ${pauseMs} ms off`,
      how: { toneMs, pauseMs },
    })),
  );
}

function breaks(): Way[] {
  return [2, 5, 8, 10].flatMap((breakMs) =>
    [70, 90, 120].map((toneMs) => ({
      name: `${toneMs} ms with a break of ${breakMs} ms`,
      how: { toneMs, breakMs },
    })),
  );
}

function noises(): Way[] {
  return [15, 18, 21, 24].flatMap((snrDb) =>
    (['telephone', 'wide'] as const).flatMap((band) =>
      [40, 50, 80].map((toneMs) => ({
        name: `${toneMs} ms, ${snrDb} dB over ${band} noise`,
        how: { toneMs, noise: { snrDb, band } },
      })),
    ),
  );
}

function echoes(): Way[] {
  return [
    { delayMs: 5, downDb: 10 },
    { delayMs: 10, downDb: 10 },
    { delayMs: 20, downDb: 10 },
    { delayMs: 20, downDb: 16 },
    { delayMs: 30, downDb: 20 },
    { delayMs: 60, downDb: 24 },
  ].flatMap((echo) =>
    [50, 100].map((toneMs) => ({
      name: `${toneMs} ms, echo ${echo.downDb} dB down after ${echo.delayMs} ms`,
      how: { echo, toneMs, pauseMs: 60 },
    })),
  );
}

function dialTones(): Way[] {
  return [20, 15, 10, 6].flatMap((dialToneDownDb) =>
    [50, 100].map((toneMs) => ({
      name: `${toneMs} ms, dial tone ${dialToneDownDb} dB below`,
      how: { dialToneDownDb, toneMs },
    })),
  );
}

function lines(): Way[] {
  return [-5, -10, -20, -25].flatMap((levelDbm0) =>
    [-4, 0, 3].map((twistDb) => ({
      name: `μ-law at ${levelDbm0} dBm0, twist ${twistDb} dB`,
      how: { levelDbm0, twistDb, muLaw: true },
    })),
  );
}

/** Anything within the limits at once. */
function anyWithin(): Way[] {
  const random = new SeededRandom(CELL_SEED);
  return Array.from({ length: RANDOM_CELLS }, (_, n) => ({
    name: `any ${n}`,
    how: {
      lowOff: 0.015 * random.signed(),
      highOff: 0.015 * random.signed(),
      levelDbm0: -4 - random.below(190) / 10,
      twistDb: random.below(121) / 10 - 8,
      toneMs: 40 + random.below(800) / 10,
      pauseMs: 40 + random.below(800) / 10,
      muLaw: random.below(2) === 0,
      noise: { snrDb: 15 + random.below(200) / 10, band: 'telephone' as const },
    },
  }));
}

function wrongFrequencies(): Way[] {
  return [0.035, 0.04, 0.05, 0.065]
    .flatMap((off) =>
      [-off, off].flatMap((one) => [
        { lowOff: one, highOff: 0 },
        { lowOff: 0, highOff: one },
        { lowOff: one, highOff: one },
        { lowOff: one, highOff: -one },
      ]),
    )
    .flatMap(({ lowOff, highOff }) =>
      [50, 150].map((toneMs) => ({
        name: `off ${percent(lowOff)} ${percent(highOff)}, ${toneMs} ms`,
        how: { lowOff, highOff, toneMs },
      })),
    );
}

function tooShort(): Way[] {
  return [5, 10, 15, 20, 23].flatMap((toneMs) =>
    [-4, -20].map((levelDbm0) => ({
      name: `${toneMs} ms at ${levelDbm0} dBm0`,
      how: { toneMs, levelDbm0, pauseMs: 60 },
    })),
  );
}

function wrongLevels(): Way[] {
  return [
    ...[-55, -60].map((levelDbm0) => ({ name: `${levelDbm0} dBm0`, how: { levelDbm0 } })),
    ...[-18, -15, 12, 15].map((twistDb) => ({ name: `twist ${twistDb} dB`, how: { twistDb } })),
  ];
}

function notTwo(): Way[] {
  return [
    ...(['low', 'high'] as const).map((tones) => ({
      name: `the ${tones} tone alone`,
      how: { tones, toneMs: 120 },
    })),
  ];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
