import type { Quartiles } from '../quartiles.js';
import { formatTable } from '../table.js';
import { PAYLOAD_BYTES } from './frame-messages.js';
import type { BridgeFigures } from './measure-bridge.js';
import type { LatencyFigures } from './measure-latency.js';
import type { MemoryFigures } from './measure-memory.js';
import type { SpeedFigures } from './measure-speed.js';

/** Speed, age and memory of frames on the media link, for people. */
export function formatBridge({ speed, latency, memory }: BridgeFigures): string {
  return [formatSpeed(speed), formatLatency(latency), formatMemory(memory)].join('\n');
}

function formatSpeed(speed: readonly SpeedFigures[]): string {
  const head = ['frames a message', ...speed.map((at) => String(at.framesPerMessage))];
  const thousands = (name: string, pick: (at: SpeedFigures) => Quartiles): string[] => [
    name,
    ...speed.map((at) => formatQuartiles(pick(at), (perSecond) => (perSecond / 1000).toFixed(0))),
  ];
  const rows = [
    thousands('send, a write a message', ({ send }) => send),
    thousands('send, ten in a write', ({ sendCorked }) => sendCorked),
    thousands('receive', ({ receive }) => receive),
    thousands('ws alone', ({ bareWs }) => bareWs),
    [
      'receive over ws alone',
      ...speed.map(({ ratio }) => formatQuartiles(ratio, (share) => share.toFixed(2))),
    ],
  ];
  const title = `Thousand frames of ${PAYLOAD_BYTES} bytes a CPU second, median and middle half`;
  return `${title}\n\n${formatTable([head, ...rows])}`;
}

function formatLatency(latency: LatencyFigures): string {
  const { streams, links, durationMs, frames, refused, cpuMicros } = latency;
  const title = `${streams} streams on ${links} links in real time, ${durationMs / 1000} s`;
  const rows = [
    ['p50, ms', latency.p50Ms.toFixed(2)],
    ['p99, ms', latency.p99Ms.toFixed(2)],
    ['max, ms', latency.maxMs.toFixed(2)],
    ['frames', String(frames)],
    ['refused', String(refused)],
    ["others on the receiver's core", `${(latency.othersShare * 100).toFixed(0)} %`],
    ["receiver's CPU, µs a frame", (cpuMicros / frames).toFixed(2)],
  ];
  return `${title}\n\n${formatTable(rows)}`;
}

function formatMemory(memory: readonly MemoryFigures[]): string {
  const head = ['frames a message', ...memory.map((at) => String(at.framesPerMessage))];
  const row = (name: string, pick: (at: MemoryFigures) => number): string[] => [
    name,
    ...memory.map((at) => pick(at).toFixed(1)),
  ];
  const rows = [
    row('heap', ({ ours }) => ours.heap),
    row('heap, ws alone', ({ bareWs }) => bareWs.heap),
    row('buffers', ({ ours }) => ours.buffers),
    row('buffers, ws alone', ({ bareWs }) => bareWs.buffers),
    row('retained', ({ ours }) => ours.retained),
  ];
  return `Bytes allocated a frame received\n\n${formatTable([head, ...rows])}`;
}

function formatQuartiles(
  { low, median, high }: Quartiles,
  format: (value: number) => string,
): string {
  return `${format(median)} (${format(low)}–${format(high)})`;
}
