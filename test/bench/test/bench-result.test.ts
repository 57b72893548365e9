import { expect, test } from 'vitest';
import { toJson } from '../src/bench-result.js';

test('numbers have four digits, and what was not measured is null', () => {
  const engine = {
    silk16: 0.783_712,
    hybrid16: 1,
    celt16: 1,
    hybrid48: 1,
    celt48: 1,
    allocBytesPerFrame: 0,
    gcEventsPer100kFrames: 0,
    kibPerDecoder: 19.5,
    createMicros: 12.9,
    wrongFrames: 0,
  };
  expect(
    JSON.parse(toJson({ engines: { wasm: engine }, default: 'wasm', pipeline: null })),
  ).toEqual({
    engines: { wasm: { ...engine, silk16: 0.7837 } },
    default: 'wasm',
    pipeline: null,
  });
});
