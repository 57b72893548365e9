import { expect, test } from 'vitest';
import { toneLatenciesMs } from '../src/pipeline/tone-latencies.js';

const LAGS = new Map([['5', 130]]);
const LINK = {
  firstStream: 50,
  streams: 10,
  startMs: 1000,
  sentAtMs: Array.from({ length: 100 }, (_, frame) => 1000 + frame * 20 + 0.5),
  refused: 0,
};

test('a tone is timed from the frame in which it was found', () => {
  // Starts in frame 10 and is found in frame 16 or 17: 1210 + 130 ms is nearest to frame 17.
  const tone = { stream: 55, digit: '5', startMs: 1210, heardAtMs: 1343.5 };
  expect(toneLatenciesMs([tone], [LINK], LAGS)).toEqual([3]);
});

test('what the load did not send is left out', () => {
  const tone = { stream: 55, digit: '5', startMs: 1210, heardAtMs: 1343.5 };
  const others = [
    { ...tone, stream: 60 },
    { ...tone, digit: '7' },
    { ...tone, startMs: 9000 },
  ];
  expect(toneLatenciesMs(others, [LINK], LAGS)).toEqual([]);
});
