import type { Cancel, Clock } from '@earshot/async';
import { CodedError, every } from '@earshot/async';
import type { OtherToneKind } from '@earshot/listening';
import type { CloseMode, Finding, Listening, StreamCheckpoint } from '@earshot/media-session';
import { FrameRing, StreamCounters } from '@earshot/media-session';
import type { OpusEngineName } from '@earshot/opus';
import type { SpeechModelName } from '@earshot/speech-model';
import { DecodeThread } from './decode-thread-handle.js';
import { Latencies } from './latency-histogram.js';
import type { WorkerLog } from './log.js';
import { nowMicros } from './thread-clock.js';
import type { DecodeEngine, PcmShare } from './thread-messages.js';

/** A thread that shows no turn for so long while its doorbell rings is replaced. */
const HANG_MS = 5000;

export interface DecodePoolOptions {
  readonly threads: number;
  /** Slots of each stream's ring. */
  readonly ringFrames: number;
  /** Most streams at once, over all threads. */
  readonly maxStreams: number;
  readonly opusEngine: OpusEngineName;
  readonly speechModel: SpeechModelName;
  readonly clock: Clock;
  readonly log: WorkerLog;
  /** What the threads run; the decode thread by default. */
  readonly entry?: URL;
  /** Eager streams moved on. */
  onProgress(): void;
}

export interface OpenStreamOptions {
  /** Where its frames begin: with a checkpoint, some `WARM_UP_FRAMES` before its position. */
  readonly firstSequence: number;
  /** Where another worker left the stream: findings go on there, and not before. */
  readonly checkpoint?: StreamCheckpoint;
  /** What the frames carry; one of `CODEC`. */
  readonly codec: number;
  /** Tell of progress as it happens. */
  readonly eager: boolean;
  /** `none` where frames are only passed on. @defaultValue `findings` */
  readonly listening?: Listening;
  /** Where what is heard goes. @defaultValue nowhere */
  readonly pcm?: PcmShare | undefined;
  /** Told besides digits. @defaultValue none */
  readonly tones?: readonly OtherToneKind[];
  /** In order; the last is of kind `closed`. */
  onFinding(finding: Finding): void;
}

/** The I/O thread's end of one stream. `ring` takes times of `nowMicros` in thread-clock.ts. */
export interface DecodeStream {
  readonly ring: FrameRing;
  readonly counters: StreamCounters;
  /**
   * Where another worker could go on: the newest checkpoint, once all findings before it came by
   * `onFinding`. Undefined while they did not, or there is none yet. `counters.get('settled')` is its
   * position, for asking cheaply.
   */
  checkpoint(): StreamCheckpoint | undefined;
  /** All findings of the frames that counters show came by `onFinding`. */
  hasAllFindings(): boolean;
  /** Has what is heard go elsewhere; undefined: nowhere. */
  listen(pcm: PcmShare | undefined): void;
  /** Has its thread look at the ring with the next `ringDoorbells`. */
  touch(): void;
  /** From the next frame that its thread takes on, these are told besides digits. */
  listenForTones(tones: readonly OtherToneKind[]): void;
  /** No frame follows: after those before it, the stream is closed. */
  close(mode: CloseMode, nextSequence?: number): void;
}

/**
 * The decode threads. A stream is pinned to the thread with the fewest streams. A thread that
 * dies or hangs is replaced and its streams go on there: the frame that it was at is lost, and
 * counted as such.
 */
export class DecodePool {
  readonly #options: DecodePoolOptions;
  readonly #threads: DecodeThread[];
  readonly #cancelWatch: Cancel;
  readonly #rings = new Set<FrameRing>();
  #handles = 0;

  private constructor(options: DecodePoolOptions, threads: DecodeThread[]) {
    this.#options = options;
    this.#threads = threads;
    this.#cancelWatch = every(options.clock, HANG_MS, () => {
      for (const thread of threads) thread.replaceIfHung();
    });
  }

  /**
   * @throws CodedError `opus_engine_unavailable` when the codec does not load on this machine,
   * `decode_thread_failed` when a thread can't start.
   */
  static async start(options: DecodePoolOptions): Promise<DecodePool> {
    const threads = Array.from(
      { length: options.threads },
      (_, index) => new DecodeThread({ ...options, index, capacity: options.maxStreams }),
    );
    try {
      await Promise.all(threads.map((thread) => thread.ready));
    } catch (cause) {
      await Promise.all(threads.map((thread) => thread.close()));
      throw startError(cause);
    }
    return new DecodePool(options, threads);
  }

  /** Streams open or not yet closed to the end. */
  get streams(): number {
    return this.#rings.size;
  }

  get hasRoom(): boolean {
    return this.#rings.size < this.#options.maxStreams;
  }

  /** Times that a thread was replaced. */
  get restarts(): number {
    return this.#threads.reduce((sum, thread) => sum + thread.restarts, 0);
  }

  /** Streams that were closed because their pipeline threw. */
  get failedStreams(): number {
    return this.#threads.reduce((sum, thread) => sum + thread.failedStreams, 0);
  }

  /** The codec that the threads use. */
  get engine(): DecodeEngine {
    const engine = this.#threads[0]?.engine;
    if (engine === undefined) throw new Error('Cannot tell the engine: no thread is ready');
    return engine;
  }

  /** From a frame's arrival on the I/O thread to what was found in it being out, all threads. */
  latencies(): Latencies {
    return Latencies.sum(this.#threads.map((thread) => thread.latencies()));
  }

  /** Age of the oldest frame that waits for its decode thread, ms; 0 when none does. */
  oldestFrameMs(): number {
    const now = nowMicros();
    let oldestMicros = 0;
    for (const ring of this.#rings) {
      const receivedMicros = ring.oldestReceivedMicros;
      if (receivedMicros === undefined) continue;
      oldestMicros = Math.max(oldestMicros, (now - receivedMicros) | 0);
    }
    return oldestMicros / 1000;
  }

  /** How long the stillest thread has not worked though there is work; call it once a second. */
  stillMs(): number {
    return Math.max(...this.#threads.map((thread) => thread.stillMs()));
  }

  get threads(): readonly DecodeThread[] {
    return this.#threads;
  }

  /** @throws CodedError `worker_busy` at the most streams allowed. */
  openStream(options: OpenStreamOptions): DecodeStream {
    if (!this.hasRoom) {
      throw new CodedError(
        'worker_busy',
        `Cannot open a stream: this worker hears at most ${this.#options.maxStreams} at once`,
      );
    }
    const ring = FrameRing.allocate(this.#options.ringFrames);
    const counters = StreamCounters.allocate(options.firstSequence, options.checkpoint);
    const thread = this.#leastLoaded();
    const writer = new FrameRing(ring);
    this.#rings.add(writer);
    const reader = new StreamCounters(counters);
    let found = 0;
    const handle = this.#handles++;
    const index = thread.open({
      handle,
      ring,
      counters,
      codec: options.codec,
      listening: options.listening ?? 'findings',
      tones: options.tones ?? [],
      eager: options.eager,
      pcm: options.pcm,
      onFinding: (finding) => {
        if (finding.kind === 'closed') this.#rings.delete(writer);
        else found += 1;
        options.onFinding(finding);
      },
    });
    return {
      ring: writer,
      counters: reader,
      checkpoint: () => {
        const newest = reader.checkpoint();
        return newest !== undefined && found >= newest.findings ? newest.checkpoint : undefined;
      },
      hasAllFindings: () => found >= reader.get('findings'),
      listen: (pcm) => thread.listen(handle, pcm),
      touch: () => thread.touch(index),
      listenForTones: (tones) => thread.listenForTones(handle, tones),
      close: (mode, nextSequence) => {
        writer.close(mode, nextSequence);
        thread.touch(index);
        thread.ringDoorbell();
      },
    };
  }

  /** Wakes the threads of the streams touched since the last time. */
  ringDoorbells(): void {
    for (let i = 0; i < this.#threads.length; i += 1) this.#threads[i]!.ringDoorbell();
  }

  /** Stops the threads; streams still open end without a finding. */
  async close(): Promise<void> {
    this.#cancelWatch();
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #leastLoaded(): DecodeThread {
    return this.#threads.reduce((best, thread) => (thread.streams < best.streams ? thread : best));
  }
}

/** What a thread threw comes over as a plain Error with its properties. */
function startError(cause: unknown): CodedError {
  if (cause instanceof Error && 'code' in cause && cause.code === 'opus_engine_unavailable') {
    const message = `Cannot start the media worker: ${cause.message}`;
    return new CodedError('opus_engine_unavailable', message, {
      cause,
      fix: 'Set EARSHOT_OPUS_ENGINE to wasm, which runs wherever Node runs.',
    });
  }
  return new CodedError(
    'decode_thread_failed',
    `Cannot start the media worker: its decode threads must start, got ${String(cause)}`,
    { cause },
  );
}
