import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { DetectorResult } from '../src/dtmf/dtmf-result.js';
import { missedTargets } from '../src/dtmf/dtmf-result.js';
import { cellsOf } from '../src/dtmf/measure-dtmf.js';
import { ourDetector } from '../src/dtmf/our-detector.js';
import { resample } from '../src/dtmf/resample.js';
import type { HeardDigit } from '../src/dtmf/score.js';
import { Score } from '../src/dtmf/score.js';
import { quantile } from '../src/quartiles.js';

/** Some of the quick run's, for time's sake without the long noises. */
const CELLS = cellsOf(true).filter(({ name }, n) => n % 3 === 0 && !name.endsWith(' noise'));
const SOUNDS = CELLS.map((cell) => cell.render());

/** What the quick run has to say of a detector, but for speech and what needs Opus. */
function judge(hear: (pcm: Int16Array) => readonly HeardDigit[]): readonly string[] {
  const score = new Score();
  CELLS.forEach((cell, n) => {
    score.add(cell, hear(SOUNDS[n]!));
  });
  const group = {
    dialled: score.dialled,
    accepted: score.accepted,
    acceptedPercent: (100 * score.accepted) / score.dialled,
    extra: score.extra,
    falseAccepts: score.falseAccepts,
    otherToneHits: score.otherToneHits,
  };
  const result: DetectorResult = {
    ...group,
    reports: 'at the end of a tone',
    latencyP50Ms: quantile(score.latenciesMs, 0.5),
    latencyP99Ms: quantile(score.latenciesMs, 0.99),
    opus24: group,
    opus24Loss5: group,
    speech: { hours: 1, hits: 0 },
    music: { hours: 1, hits: 0 },
    faults: score.faults,
  };
  return missedTargets(result);
}

function digest(pcm: Int16Array): string {
  return createHash('sha256').update(new Uint8Array(pcm.buffer)).digest('hex');
}

test('the cells are the same in every run, and no two of them sound alike', () => {
  const once = SOUNDS.map(digest);
  expect(CELLS.map((cell) => digest(cell.render()))).toEqual(once);
  expect(new Set(once).size).toBe(CELLS.length);
  expect(new Set(CELLS.map(({ group }) => group)).size).toBe(3);
});

test('the cells are what they were when the figures were published', () => {
  const all = cellsOf(false);
  const of = (group: string) => all.filter((cell) => cell.group === group);
  expect([of('accept').length, of('reject').length, of('silent').length]).toEqual([314, 82, 71]);
  const names = createHash('sha256').update(all.map((cell) => cell.name + cell.digits).join('\n'));
  expect(names.digest('hex').slice(0, 16)).toBe('5acc4d6ea9cd9ebc');
});

test('our detector meets the targets in the quick run', () => {
  const detector = ourDetector();
  expect(judge((pcm) => detector.hear(pcm, 16_000))).toEqual([]);
});

test('a deaf detector misses them, and so does one that hears too much, or too late', () => {
  const detector = ourDetector();
  expect(judge(() => [])).toContain('cells: accepted');
  const twice = judge((pcm) => detector.hear(pcm, 16_000).flatMap((digit) => [digit, digit]));
  expect(twice).toEqual(expect.arrayContaining(['cells: extra digits']));
  expect(judge(() => [{ digit: '1' }])).toEqual(
    expect.arrayContaining(['cells: false accepts', 'cells: other tones']),
  );
  const late = judge((pcm) =>
    detector.hear(pcm, 16_000).map(({ digit, reportedMs = 0 }) => ({
      digit,
      reportedMs: reportedMs + 10,
    })),
  );
  expect(late).toEqual(['latency p50', 'latency p99']);
});

test('a score counts what was heard in order, what was not, and what was too much', () => {
  const score = new Score();
  const cell = { ...CELLS[0]!, digits: '1234', endsMs: [100, 200, 300, 400] };
  score.add(cell, [
    { digit: '1', reportedMs: 140 },
    { digit: '1', reportedMs: 150 },
    { digit: '3', reportedMs: 335 },
    { digit: '9', reportedMs: 350 },
  ]);
  expect([score.dialled, score.accepted, score.extra]).toEqual([4, 2, 2]);
  expect(score.latenciesMs).toEqual([40, 35]);
  expect(score.faults).toEqual([`accept: ${cell.name}: 1139`]);
});

test('a tone resampled is the same tone, and nothing is folded into the band', () => {
  const tone = (hz: number, rateHz: number): Int16Array =>
    Int16Array.from(
      { length: rateHz },
      (_, i) => 10_000 * Math.sin((2 * Math.PI * hz * i) / rateHz),
    );
  const rms = (pcm: Int16Array): number =>
    Math.sqrt(pcm.subarray(200, -200).reduce((sum, x) => sum + x * x, 0) / (pcm.length - 400));
  expect(rms(resample(tone(1000, 16_000), 0.5))).toBeCloseTo(10_000 / Math.SQRT2, -2);
  expect(rms(resample(tone(5500, 16_000), 0.5))).toBeLessThan(30);
  const direct = tone(1000, 22_050);
  const made = resample(tone(1000, 8000), 22_050 / 8000);
  const difference = made.map((sample, i) => sample - (direct[i] ?? 0));
  expect(rms(difference)).toBeLessThan(60);
});
