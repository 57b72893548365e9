// Runs a decode loop over many frames in a thread of its own, and tells what the garbage collector
// had to do meanwhile. Started by decode-loop.test.ts with --expose-gc and a small young generation.
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import v8 from 'node:v8';
import {
  FRAME_PAYLOAD_BYTES,
  FRAME_SAMPLES,
  FrameRing,
  PcmRing,
  SESSION_SAMPLE_RATE_HZ,
  StreamCounters,
} from '@earshot/media-session';
import { createOpusEngine, encodeFrames, opusPacketHasFec } from '@earshot/opus';
import { createSpeechModel } from '@earshot/speech-model';
import { DecodeLoop } from '../dist/decode-loop.js';
import { LatencyHistogram } from '../dist/latency-histogram.js';
import { ReadyStreams } from '../dist/ready-streams.js';
import { nowMicros } from '../dist/thread-clock.js';

const STREAMS = 64;
const WARM_UP_ROUNDS = 400;
const ROUNDS = Math.ceil(100_000 / STREAMS);

const engine = await createOpusEngine();
const packets = encodeFrames(engine, buzz(4000), {
  sampleRateHz: SESSION_SAMPLE_RATE_HZ,
  channels: 1,
  bitrateBps: 24_000,
  dtx: false,
  application: 'voip',
});
const ready = new ReadyStreams(ReadyStreams.allocate(STREAMS));
let posted = 0;
// Speech of all streams is recognized; nobody takes what is heard, so that the oldest is dropped.
const bell = new SharedArrayBuffer(4);
const loop = new DecodeLoop({
  decoders: engine.createDecoderPool({
    sampleRateHz: SESSION_SAMPLE_RATE_HZ,
    channels: 1,
    capacity: STREAMS,
    batch: { entries: 32, maxPacketBytes: FRAME_PAYLOAD_BYTES, maxSamples: FRAME_SAMPLES },
  }),
  carriesPrevious: opusPacketHasFec,
  speechModel: createSpeechModel({ capacity: STREAMS }),
  capacity: STREAMS,
  ready,
  latencies: new LatencyHistogram(LatencyHistogram.allocate()),
  nowMicros,
  onCodecMicros() {},
  post() {
    posted += 1;
  },
});
const streams = Array.from({ length: STREAMS }, (_, index) => open(index));
let sequence = 0;

/** @type {import('node:perf_hooks').PerformanceEntry[]} */
const observed = [];
const observer = new PerformanceObserver((list) => observed.push(...list.getEntries()));
observer.observe({ entryTypes: ['gc'] });

for (let round = 0; round < WARM_UP_ROUNDS; round += 1) play();
globalThis.gc?.();
const postedBefore = posted;
const usedBefore = v8.getHeapStatistics().used_heap_size;
const startMs = performance.now();
for (let round = 0; round < ROUNDS; round += 1) play();
const endMs = performance.now();
const usedBytes = v8.getHeapStatistics().used_heap_size - usedBefore;
await setImmediate();
await setImmediate();
const collections = observed.filter(
  ({ startTime }) => startTime >= startMs && startTime < endMs,
).length;
const frames = streams.reduce((sum, { counters }) => sum + counters.get('decoded'), 0);
console.log(
  JSON.stringify({
    frames: frames - WARM_UP_ROUNDS * STREAMS,
    collections,
    bytesPerFrame: usedBytes / (ROUNDS * STREAMS),
    posted: posted - postedBefore,
  }),
);

/** @param {number} index */
function open(index) {
  const ring = FrameRing.allocate(8);
  const counters = StreamCounters.allocate(0);
  const listening = 'findings';
  loop.open({
    kind: 'open',
    handle: index,
    index,
    ring,
    counters,
    codec: 1,
    listening,
    tones: [],
    eager: false,
    pcm: { ring: PcmRing.allocate(64), bell },
  });
  return { index, writer: new FrameRing(ring), counters: new StreamCounters(counters) };
}

/** One frame of each stream, at times that are no whole milliseconds, as captured ones are. */
function play() {
  const packet = packets[sequence % packets.length] ?? packets[0] ?? new Uint8Array(0);
  const mediaTimeMs = sequence * 20 + 0.3;
  const receivedMicros = nowMicros();
  for (const { writer, index } of streams) {
    writer.push(sequence, mediaTimeMs, 1, 0, packet, 0, packet.length, receivedMicros);
    ready.mark(index);
  }
  sequence += 1;
  while (loop.turn());
}

/** @param {number} durationMs */
function buzz(durationMs) {
  const pcm = new Int16Array((durationMs * SESSION_SAMPLE_RATE_HZ) / 1000);
  for (let i = 0; i < pcm.length; i += 1) {
    const t = i / SESSION_SAMPLE_RATE_HZ;
    pcm[i] = 6000 * Math.sin(900 * t) * (1 + 0.4 * Math.sin(25 * t));
  }
  return pcm;
}
