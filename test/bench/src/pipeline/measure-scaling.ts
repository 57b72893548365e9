import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { CODEC } from '@earshot/bridge-protocol';
import type { MediaWorker } from '@earshot/media-worker';
import { readConfig, startMediaWorker } from '@earshot/media-worker';
import { startTestRedis } from '@earshot/test-kit';
import { quantile } from '../quartiles.js';

const THREADS = 2;
const STREAMS_PER_THREAD = 8;
const RING_FRAMES = 1024;
const FRAME_MS = 20;
const ROUNDS = 15;
const SILENT_LOG = { debug() {}, info() {}, warn() {}, error() {} };

type DecodeStream = ReturnType<MediaWorker['pool']['openStream']>;

/** Two decode threads over one. */
export interface Scaling {
  /** Frames a second, by the clock. */
  readonly byClock: number;
  /** Frames per CPU second of the process, times two: what is left when others need the cores. */
  readonly byCpuTime: number;
}

interface Slice {
  readonly framesPerMs: number;
  readonly framesPerCpuMs: number;
}

/**
 * Two decode threads of a real worker over one: rings filled before, both threads running freely.
 * Slices of either thread and of both take turns.
 */
export async function measureScaling(track: readonly Uint8Array[]): Promise<Scaling> {
  const redis = await startTestRedis();
  const config = readConfig({
    REDIS_URL: redis.url,
    EARSHOT_BRIDGE_KEY: randomBytes(32).toString('base64url'),
    EARSHOT_DECODE_THREADS: String(THREADS),
    EARSHOT_RING_FRAMES: String(RING_FRAMES),
    EARSHOT_LOG_LEVEL: 'silent',
  });
  const worker = await startMediaWorker(config, { log: SILENT_LOG });
  try {
    const free = new FreeRunning(worker, track);
    const byClock: number[] = [];
    const byCpuTime: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const first = await free.run([0]);
      const both = await free.run([0, 1]);
      const second = await free.run([1]);
      // The first round warms the compilers up.
      if (round === 0) continue;
      byClock.push((2 * both.framesPerMs) / (first.framesPerMs + second.framesPerMs));
      const aloneCpu = (first.framesPerCpuMs + second.framesPerCpuMs) / 2;
      byCpuTime.push((THREADS * both.framesPerCpuMs) / aloneCpu);
    }
    return { byClock: quantile(byClock, 0.5), byCpuTime: quantile(byCpuTime, 0.5) };
  } finally {
    await worker.close();
    await redis.close();
  }
}

/** Streams whose frames are there before their threads begin. */
class FreeRunning {
  readonly #worker: MediaWorker;
  readonly #track: readonly Uint8Array[];
  /** By thread: the pool hands streams to its threads in turns. */
  readonly #streams: readonly DecodeStream[][];
  readonly #sequences: number[];

  constructor(worker: MediaWorker, track: readonly Uint8Array[]) {
    this.#worker = worker;
    this.#track = track;
    const all = Array.from({ length: THREADS * STREAMS_PER_THREAD }, () =>
      worker.pool.openStream({
        firstSequence: 0,
        codec: CODEC.opus,
        eager: false,
        onFinding() {},
      }),
    );
    this.#streams = Array.from({ length: THREADS }, (_, thread) =>
      all.filter((_stream, index) => index % THREADS === thread),
    );
    this.#sequences = Array.from({ length: THREADS }, () => 0);
  }

  /** Runs these threads side by side, each until its streams are empty. */
  async run(threads: readonly number[]): Promise<Slice> {
    const { pool } = this.#worker;
    for (const thread of threads) this.#fill(thread);
    const before = pool.threads.map((thread) => thread.busyMicros);
    const cpuBefore = process.cpuUsage();
    for (const thread of threads) for (const stream of this.#streams[thread]!) stream.touch();
    pool.ringDoorbells();
    while (!threads.every((thread) => this.#isEmpty(thread))) await sleep(2);
    // The thread counts its time when it goes to sleep.
    await sleep(10);
    const busyMicros = threads.map((thread) => {
      return (pool.threads[thread]!.busyMicros - before[thread]!) >>> 0;
    });
    const { user, system } = process.cpuUsage(cpuBefore);
    const frames = threads.length * STREAMS_PER_THREAD * RING_FRAMES;
    return {
      framesPerMs: (frames * 1000) / Math.max(...busyMicros),
      framesPerCpuMs: (frames * 1000) / (user + system),
    };
  }

  #fill(thread: number): void {
    const start = this.#sequences[thread]!;
    for (const stream of this.#streams[thread]!) {
      for (let sequence = start; sequence < start + RING_FRAMES; sequence += 1) {
        const packet = this.#track[sequence % this.#track.length]!;
        const { ring } = stream;
        ring.push(sequence, sequence * FRAME_MS, CODEC.opus, 0, packet, 0, packet.length);
      }
    }
    this.#sequences[thread] = start + RING_FRAMES;
  }

  #isEmpty(thread: number): boolean {
    const end = this.#sequences[thread]!;
    return this.#streams[thread]!.every(({ counters }) => counters.get('received') === end);
  }
}
