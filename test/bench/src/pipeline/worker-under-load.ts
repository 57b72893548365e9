import { randomBytes } from 'node:crypto';
import { CloseStack } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import { MediaTokens } from '@earshot/media-token';
import { Registry } from '@earshot/registry';
import { startTestRedis } from '@earshot/test-kit';
import { BenchProcess } from './bench-process.js';
import type {
  LoadCommand,
  LoadReport,
  SentTicks,
  WorkerCommand,
  WorkerReport,
  WorkerWindow,
} from './messages.js';

const WORKER = new URL('./worker-process.js', import.meta.url);
const LOAD = new URL('./load-process.js', import.meta.url);

/** What a media link carries at most. */
const STREAMS_PER_LINK = 64;
const FRAME_MS = 20;
/** Fills the 20 ms evenly, however many links there are. */
const GOLDEN_SHARE = (Math.sqrt(5) - 1) / 2;

export interface UnderLoadOptions {
  /** File of the C control. */
  readonly control: string;
  readonly track: readonly Uint8Array[];
  /** Cores of the worker and of the load; undefined: any. */
  readonly workerCore: number | undefined;
  readonly loadCore: number | undefined;
}

/** Frames of all streams so far. */
export interface FrameTotals {
  readonly framesReceived: number;
  readonly framesDropped: number;
}

/** A media worker with its Redis, and hosts that send to it. */
export class WorkerUnderLoad {
  readonly #worker: BenchProcess<WorkerCommand, WorkerReport>;
  readonly #load: BenchProcess<LoadCommand, LoadReport>;
  readonly #registry: Registry;
  readonly #tokens: MediaTokens;
  readonly #closers: CloseStack;
  #url = '';
  #links = 0;
  #streams = 0;

  private constructor(
    worker: BenchProcess<WorkerCommand, WorkerReport>,
    load: BenchProcess<LoadCommand, LoadReport>,
    registry: Registry,
    tokens: MediaTokens,
    closers: CloseStack,
  ) {
    this.#worker = worker;
    this.#load = load;
    this.#registry = registry;
    this.#tokens = tokens;
    this.#closers = closers;
  }

  /** Streams that send now. */
  get streams(): number {
    return this.#streams;
  }

  static async start(options: UnderLoadOptions): Promise<WorkerUnderLoad> {
    const closers = new CloseStack();
    try {
      return await WorkerUnderLoad.#start(options, closers);
    } catch (error) {
      await closers.close();
      throw error;
    }
  }

  static async #start(
    { control, track, workerCore, loadCore }: UnderLoadOptions,
    closers: CloseStack,
  ): Promise<WorkerUnderLoad> {
    const redis = await startTestRedis();
    closers.defer(() => redis.close());
    const registry = new Registry({ redisUrl: redis.url, clock: systemClock });
    closers.defer(() => registry.close());
    await registry.ready();
    const key = randomBytes(32);
    const environment = { EARSHOT_BRIDGE_KEY: key.toString('base64url') };
    const worker = new BenchProcess<WorkerCommand, WorkerReport>(WORKER, workerCore, environment);
    closers.defer(() => worker.kill());
    const load = new BenchProcess<LoadCommand, LoadReport>(LOAD, loadCore);
    closers.defer(() => load.kill());
    const tokens = new MediaTokens({ key, clock: systemClock });
    const underLoad = new WorkerUnderLoad(worker, load, registry, tokens, closers);
    const ready = await worker.ask({ kind: 'start', redisUrl: redis.url, control }, 'ready');
    underLoad.#url = ready.url;
    await load.ask({ kind: 'start', track }, 'ready');
    return underLoad;
  }

  /** Opens links until so many streams send. */
  async raiseTo(streams: number): Promise<void> {
    const links = Math.ceil((streams - this.#streams) / STREAMS_PER_LINK);
    for (let left = links; left > 0; left -= 1) {
      await this.#addLink(Math.ceil((streams - this.#streams) / left));
    }
  }

  async #addLink(streams: number): Promise<void> {
    const callId = `c_${randomBytes(17).toString('base64url')}`;
    const placed = await this.#registry.placeCall(callId);
    if (placed === undefined) throw new Error('The worker must take calls');
    const { workerId, epoch, url: mediaUrl } = placed;
    const token = await this.#tokens.mint({ callId, workerId, epoch });
    this.#links += 1;
    const offsetMs = ((this.#links * GOLDEN_SHARE) % 1) * FRAME_MS;
    const firstStream = this.#streams;
    const link = { mediaUrl, token, callId, epoch, firstStream, streams, offsetMs };
    await this.#load.ask({ kind: 'link', link }, 'linked');
    this.#streams += streams;
  }

  /** What the worker does from now on counts, until `end`. */
  async begin(): Promise<void> {
    await this.#worker.ask({ kind: 'begin' }, 'begun');
  }

  async end(): Promise<WorkerWindow> {
    const { window } = await this.#worker.ask({ kind: 'end' }, 'window');
    return window;
  }

  async sent(): Promise<readonly SentTicks[]> {
    const { links } = await this.#load.ask({ kind: 'tell' }, 'sent');
    return links;
  }

  async totals(): Promise<FrameTotals> {
    const response = await fetch(`${this.#url}/v1/stats`);
    const { totals }: { totals: FrameTotals } = JSON.parse(await response.text());
    return totals;
  }

  close(): Promise<void> {
    return this.#closers.close();
  }
}
