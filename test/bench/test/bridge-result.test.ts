import { expect, test } from 'vitest';
import { formatBridge } from '../src/bridge/bridge-report.js';
import { toBridgeResult } from '../src/bridge/bridge-result.js';
import type { BridgeFigures } from '../src/bridge/measure-bridge.js';

const at = (median: number) => ({ low: median - 1, median, high: median + 1 });
const allocation = (heap: number) => ({ heap, buffers: 126, retained: 0 });

const figures: BridgeFigures = {
  speed: [
    {
      framesPerMessage: 10,
      send: at(600_000),
      sendCorked: at(1_000_000),
      receive: at(1_500_000),
      bareWs: at(1_600_000),
      ratio: at(0.93),
    },
  ],
  latency: {
    frames: 1000,
    p50Ms: 0.2,
    p99Ms: 1.5,
    maxMs: 3,
    cpuMicros: 2000,
    streams: 500,
    links: 8,
    durationMs: 1000,
    othersShare: 0,
    refused: 0,
  },
  memory: [
    { framesPerMessage: 1, ours: allocation(960), bareWs: allocation(950) },
    { framesPerMessage: 10, ours: allocation(97), bareWs: allocation(96) },
  ],
};

test('the result has what the figures are known by', () => {
  expect(toBridgeResult(figures)).toEqual({
    payloadBytes: 104,
    framesPerSecondPerCore: {
      send: { '10': 600_000 },
      sendCorked: { '10': 1_000_000 },
      receive: { '10': 1_500_000 },
      receiveBareWs: { '10': 1_600_000 },
    },
    ratioToRawWs: { '10': 0.93 },
    p50FrameLatencyMs: 0.2,
    p99FrameLatencyMs: 1.5,
    maxFrameLatencyMs: 3,
    allocBytesPerFrameReceive: 97,
    allocBytesPerFrameBareWs: 96,
    allocBytesPerFrameAdded: 1,
    retainedBytesPerFrame: 0,
    memory: {
      heapBytesPerFrame: { '1': 960, '10': 97 },
      heapBytesPerFrameBareWs: { '1': 950, '10': 96 },
      bufferBytesPerFrame: { '1': 126, '10': 126 },
    },
  });
});

test('the tables show ours beside ws alone', () => {
  const text = formatBridge(figures);
  expect(text).toMatch(/^receive +1500 /m);
  expect(text).toMatch(/^ws alone +1600 /m);
  expect(text).toMatch(/^heap, ws alone +950\.0 +96\.0$/m);
});
