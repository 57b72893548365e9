import { expect, test } from 'vitest';
import { hearTones } from '../src/tones/measure-tones.js';
import { toneCells } from '../src/tones/tone-cells.js';
import { ToneScore } from '../src/tones/tone-score.js';
import { missedTargets } from '../src/tones/tones-result.js';

const CELLS = toneCells();

test('there is every kind, and no two cells have the same name', () => {
  expect(new Set(CELLS.map(({ kind }) => kind)).size).toBe(8);
  expect(new Set(CELLS.map(({ kind, name }) => `${kind} ${name}`)).size).toBe(CELLS.length);
});

test('what is told is counted by kind, with how late it was, and so is what is too much', () => {
  const score = new ToneScore();
  const cell = CELLS.find(({ kind }) => kind === 'reorder')!;
  const told = hearTones(cell.render());
  expect(told.map(({ kind }) => kind)).toEqual(['reorder']);
  score.add(cell, told);
  score.add(cell, []);
  score.add(cell, [...told, { kind: 'beep', toldMs: 0 }]);
  const result = score.result();
  expect(result).toMatchObject({ cells: 3, accepted: 2, extra: 1, byKind: { reorder: [2, 3] } });
  expect(score.latencies().reorder!.p50).toBe(told[0]!.toldMs - cell.knownMs);
  expect(score.faults).toHaveLength(2);
  const none = { hours: 1, told: {} };
  const all = { ...result, accepted: 3, acceptedPercent: 100, extra: 0 };
  const good = { plain: all, opus24: all, opus24Loss5: all, pcmLoss5: all };
  expect(missedTargets({ ...good, speech: none, speechLoss5: none, digits: none })).toEqual([]);
  const more = { ...result, extra: 6 };
  const bad = { plain: result, opus24: result, opus24Loss5: more, pcmLoss5: result };
  const speech = { hours: 1, told: { beep: 2 } };
  expect(missedTargets({ ...bad, speech, speechLoss5: speech, digits: none })).toEqual([
    'cells: accepted',
    'cells: extra tones',
    'Opus: accepted',
    'Opus: extra tones',
    'Opus, 5 % lost: accepted',
    'Opus, 5 % lost: extra tones',
    'PCM, 5 % lost: accepted',
    'false in speech',
    'false in speech, 5 % lost',
  ]);
});
