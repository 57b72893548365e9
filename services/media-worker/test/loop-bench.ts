import { CODEC } from '@earshot/bridge-protocol';
import type {
  CarriesPrevious,
  CloseMode,
  DecoderPool,
  Finding,
  SpeechModel,
} from '@earshot/media-session';
import {
  FRAME_PAYLOAD_BYTES,
  FRAME_SAMPLES,
  FrameRing,
  FrameSlot,
  SESSION_SAMPLE_RATE_HZ,
  StreamCounters,
  StreamPipeline,
} from '@earshot/media-session';
import type { OpusDecoder, DecoderPool as OpusPool } from '@earshot/opus';
import { createOpusEngine, opusPacketHasFec } from '@earshot/opus';
import { DecodeLoop } from '../src/decode-loop.js';
import { LatencyHistogram } from '../src/latency-histogram.js';
import { ReadyStreams } from '../src/ready-streams.js';
import type { ThreadReport } from '../src/thread-messages.js';

/** More than any of these tests takes. */
const MOST_TURNS = 1_000_000;

const engine = await createOpusEngine();

export function createPool(capacity: number, entries: number): OpusPool {
  return engine.createDecoderPool({
    sampleRateHz: SESSION_SAMPLE_RATE_HZ,
    channels: 1,
    capacity,
    batch: { entries, maxPacketBytes: FRAME_PAYLOAD_BYTES, maxSamples: FRAME_SAMPLES },
  });
}

/** A frame as a host sends it. */
export interface SentFrame {
  readonly sequence: number;
  readonly codec: number;
  readonly payload: Uint8Array;
}

/** Packets of a stream in step; an empty one is a frame of silence. */
export function toFrames(packets: readonly Uint8Array[]): SentFrame[] {
  return packets.map((payload, sequence) => ({
    sequence,
    codec: payload.length === 0 ? CODEC.silence : CODEC.opus,
    payload,
  }));
}

/** What one pipeline hears with a decoder of its own, frame by frame: the reference. */
export function hearAlone(
  frames: readonly SentFrame[],
  nextSequence: number,
  speechModel?: SpeechModel,
): Finding[] {
  const findings: Finding[] = [];
  const pool = createPool(1, 1);
  let decoder: OpusDecoder | undefined;
  const pipeline = new StreamPipeline({
    codec: CODEC.opus,
    decoders: {
      acquire: () => {
        decoder = pool.acquire();
        return decoder;
      },
    },
    carriesPrevious: opusPacketHasFec,
    speechModel,
    counters: StreamCounters.allocate(0),
    sink: (finding) => findings.push(finding),
  });
  const slot = new FrameSlot();
  const pcm = new Int16Array(FRAME_SAMPLES);
  for (const { sequence, codec, payload } of frames) {
    Object.assign(slot, { sequence, codec, mediaTimeMs: sequence * 20, length: payload.length });
    slot.payload.set(payload);
    if (!pipeline.accept(slot, pcm)) continue;
    const samples = pipeline.decoder === decoder ? decode(decoder, slot, pcm) : 0;
    pipeline.decoded(samples, pcm);
  }
  pipeline.close(1, pcm, nextSequence);
  return findings;
}

function decode(decoder: OpusDecoder, { payload, length }: FrameSlot, pcm: Int16Array): number {
  return decoder.decode(payload, 0, length, pcm);
}

interface LoopBenchOptions {
  readonly streams: number;
  readonly entries?: number;
  readonly ringFrames?: number;
  readonly decoders?: DecoderPool;
  readonly carriesPrevious?: CarriesPrevious;
  readonly speechModel?: SpeechModel;
  readonly listening?: 'findings' | 'none';
}

/** A decode loop with the I/O thread's end of its streams, in one thread, with a clock by hand. */
export class LoopBench {
  readonly loop: DecodeLoop;
  readonly writers: FrameRing[] = [];
  readonly counters: StreamCounters[] = [];
  readonly findings: Finding[][] = [];
  readonly failures: string[] = [];
  readonly latencies: LatencyHistogram;
  progress = 0;
  micros = 0;
  readonly #ready: ReadyStreams;

  constructor(options: LoopBenchOptions) {
    const { streams, entries = 4, ringFrames = 64, listening = 'findings' } = options;
    const ready = ReadyStreams.allocate(streams);
    this.#ready = new ReadyStreams(ready);
    this.latencies = new LatencyHistogram(LatencyHistogram.allocate());
    this.loop = new DecodeLoop({
      decoders: options.decoders ?? createPool(streams, entries),
      carriesPrevious: options.carriesPrevious ?? opusPacketHasFec,
      speechModel: options.speechModel,
      capacity: streams,
      ready: new ReadyStreams(ready),
      latencies: this.latencies,
      nowMicros: () => this.micros,
      onCodecMicros: () => {},
      post: (report) => this.#take(structuredClone(report)),
    });
    for (let index = 0; index < streams; index += 1) this.#open(index, ringFrames, listening);
  }

  send(index: number, { sequence, codec, payload }: SentFrame): void {
    const length = payload.length;
    this.writers[index]!.push(sequence, sequence * 20, codec, 0, payload, 0, length, this.micros);
    this.#ready.mark(index);
  }

  close(index: number, mode: CloseMode, nextSequence?: number): void {
    this.writers[index]!.close(mode, nextSequence);
    this.#ready.mark(index);
  }

  /** Turns until nothing is left; returns how many. */
  run(): number {
    let turns = 0;
    while (this.loop.turn()) {
      turns += 1;
      if (turns === MOST_TURNS) throw new Error('a loop must come to rest');
    }
    return turns;
  }

  #open(index: number, ringFrames: number, listening: 'findings' | 'none'): void {
    const ring = FrameRing.allocate(ringFrames);
    const counters = StreamCounters.allocate(0);
    this.writers.push(new FrameRing(ring));
    this.counters.push(new StreamCounters(counters));
    this.findings.push([]);
    const eager = index === 0;
    const codec = CODEC.opus;
    this.loop.open({
      kind: 'open',
      handle: index,
      index,
      ring,
      counters,
      codec,
      listening,
      tones: [],
      eager,
    });
  }

  #take(report: ThreadReport): void {
    if (report.kind === 'streamFailed') this.failures.push(report.error);
    if (report.kind === 'progress') this.progress += 1;
    if (report.kind !== 'findings') return;
    for (const { handle, finding } of report.items) this.findings[handle]!.push(finding);
  }
}
