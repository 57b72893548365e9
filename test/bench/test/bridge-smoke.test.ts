import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const BENCH = fileURLToPath(new URL('../../../scripts/bench.mjs', import.meta.url));

// What is fast on one machine is not on another: only that all is measured, and makes sense.
test('a quick run of the bridge ends with one line of JSON', { timeout: 480_000 }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    BENCH,
    'bridge',
    '--quick',
    '--json',
  ]);
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  const result = JSON.parse(lines[0] ?? '');
  const sizes = { '1': expect.any(Number), '4': expect.any(Number), '10': expect.any(Number) };
  expect(result).toMatchObject({
    payloadBytes: 104,
    framesPerSecondPerCore: {
      send: sizes,
      sendCorked: sizes,
      receive: sizes,
      receiveBareWs: sizes,
    },
    ratioToRawWs: sizes,
    retainedBytesPerFrame: expect.any(Number),
  });
  expect(result.p50FrameLatencyMs).toBeGreaterThan(0);
  expect(result.maxFrameLatencyMs).toBeGreaterThanOrEqual(result.p99FrameLatencyMs);
  // Of ws there is something to see at least, or the gauge shows nothing.
  expect(result.allocBytesPerFrameBareWs).toBeGreaterThan(10);
  expect(result.allocBytesPerFrameReceive).toBeGreaterThan(10);
});
