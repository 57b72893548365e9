import { expect, test } from 'vitest';
import { parseBenchOptions } from '../src/bench-options.js';

test('defaults: everything, every engine that loads', () => {
  expect(parseBenchOptions(['decode'])).toEqual({
    subject: 'decode',
    json: false,
    quick: false,
    pipeline: true,
    engines: undefined,
  });
});

test('all are read', () => {
  expect(
    parseBenchOptions(['decode', '--json', '--no-pipeline', '--engines', 'wasm,native']),
  ).toEqual({
    subject: 'decode',
    json: true,
    quick: false,
    pipeline: false,
    engines: ['wasm', 'native'],
  });
});

test('a quick run has no pipeline', () => {
  expect(parseBenchOptions(['decode', '--quick'])).toMatchObject({ quick: true, pipeline: false });
});

test('the bridge has its own', () => {
  expect(parseBenchOptions(['bridge', '--quick', '--json'])).toEqual({
    subject: 'bridge',
    json: true,
    quick: true,
  });
});

test.each([
  [[]],
  [['bridge', '--no-pipeline']],
  [['bridge', '--engines', 'wasm']],
  [['encode']],
  [['decode', 'more']],
  [['decode', '--fast']],
  [['decode', '--engines', 'x']],
])('%j is refused', (args) => {
  expect(() => parseBenchOptions(args)).toThrow(
    expect.objectContaining({ code: 'invalid_bench_options' }),
  );
});
