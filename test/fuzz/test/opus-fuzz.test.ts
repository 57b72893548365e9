import { OPUS_ENGINES } from '@earshot/opus';
import { describe, expect, test } from 'vitest';
import { parseFuzzOptions } from '../src/fuzz-options.js';
import { fuzzOpus } from '../src/fuzz-opus.js';

const RUNS = 20_000;
const hasNative = `${process.platform}-${process.arch}` === 'linux-x64';

describe('hostile packets', () => {
  test.each(OPUS_ENGINES.filter((name) => name !== 'native' || hasNative))(
    'leave %s and the streams beside them whole',
    async (engine) => {
      const summary = await fuzzOpus({ engine, runs: RUNS, seed: 6716 });
      expect(summary.runs).toBeGreaterThanOrEqual(RUNS);
      // All kinds of outcomes were met, or the fuzzer has gone blind.
      expect(summary.decoded).toBeGreaterThan(RUNS / 10);
      expect(summary.refused).toBeGreaterThan(RUNS / 10);
      expect(summary.controlFrames).toBeGreaterThan(RUNS / 20);
      for (const count of [summary.concealed, summary.recovered, summary.renewed]) {
        expect(count).toBeGreaterThan(100);
      }
    },
  );

  test('are the same for the same seed', async () => {
    const options = { engine: 'wasm', runs: 3000, seed: 3 } as const;
    expect(await fuzzOpus(options)).toEqual(await fuzzOpus(options));
  });
});

describe('options', () => {
  test('have defaults', () => {
    expect(parseFuzzOptions(['opus'])).toEqual({ engine: 'wasm', runs: 10_000_000, seed: 1 });
  });

  test('are read', () => {
    const args = ['opus', '--runs', '5_000', '--engine', 'native', '--seed', '9'];
    expect(parseFuzzOptions(args)).toEqual({ engine: 'native', runs: 5000, seed: 9 });
  });

  test.each([
    [[]],
    [['wav']],
    [['opus', '--runs', '0']],
    [['opus', '--runs', 'x']],
    [['opus', '--engine', 'other']],
    [['opus', '--other']],
  ])('%j is refused', (args) => {
    expect(() => parseFuzzOptions(args)).toThrow(
      expect.objectContaining({ code: 'invalid_fuzz_options' }),
    );
  });
});
