import { expect, test } from 'vitest';
import { parseBenchOptions } from '../src/bench-options.js';

test('defaults: everything, every engine that loads', () => {
  expect(parseBenchOptions(['decode'])).toEqual({
    json: false,
    quick: false,
    pipeline: true,
    engines: undefined,
  });
});

test('all are read', () => {
  expect(
    parseBenchOptions(['decode', '--json', '--no-pipeline', '--engines', 'wasm,native']),
  ).toEqual({ json: true, quick: false, pipeline: false, engines: ['wasm', 'native'] });
});

test('a quick run has no pipeline', () => {
  expect(parseBenchOptions(['decode', '--quick'])).toMatchObject({ quick: true, pipeline: false });
});

test.each([
  [[]],
  [['encode']],
  [['decode', 'more']],
  [['decode', '--fast']],
  [['decode', '--engines', 'x']],
])('%j is refused', (args) => {
  expect(() => parseBenchOptions(args)).toThrow(
    expect.objectContaining({ code: 'invalid_bench_options' }),
  );
});
