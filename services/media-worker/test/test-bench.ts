import { randomBytes } from 'node:crypto';
import { CloseStack } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import type { HelloMessage } from '@earshot/bridge-protocol';
import type { EarshotEvent, EventType } from '@earshot/events';
import { EventConsumer, parseEvent } from '@earshot/events';
import { MediaTokens } from '@earshot/media-token';
import type { Placement, PlaceOptions } from '@earshot/registry';
import { Registry } from '@earshot/registry';
import type { TestRedis } from '@earshot/test-kit';
import { startTestRedis } from '@earshot/test-kit';
import { vi } from 'vitest';
// The decode threads are files of their own, so these tests run what was built.
import type { MediaWorker, MediaWorkerConfig, MediaWorkerDeps } from '../dist/index.js';
import { NO_ENGINES, startMediaWorker } from '../dist/index.js';
import { TestHost } from './test-host.js';

export const BRIDGE_KEY = new Uint8Array(32).fill(7);

const SILENT_LOG = { debug() {}, info() {}, warn() {}, error() {} };

export type EventOf<Type extends EventType> = Extract<EarshotEvent, { type: Type }>;

/** Where a call was placed, and what opens its link. */
export interface Placed {
  readonly callId: string;
  readonly epoch: number;
  readonly token: string;
  readonly url: string;
}

const PLACE_WAIT = { timeout: 50_000, interval: 100 };

/** Whatever a worker waits for by itself comes, however busy the machine is. */
const PATIENCE_MS = 60_000;

export interface BenchDeps extends Pick<MediaWorkerDeps, 'clock' | 'recognizers'> {
  /** Redis keeps what it has over `kill` and `restart`. */
  readonly persistent?: boolean;
}

/** Where a call goes. On a busy machine workers may be full for a while. */
export function placeCall(
  registry: Registry,
  callId: string,
  options: PlaceOptions = {},
): Promise<Placement> {
  return vi.waitUntil(() => registry.placeCall(callId, options), PLACE_WAIT);
}

/** A real worker with a real Redis and a real consumer. */
export class Bench {
  readonly redis: TestRedis;
  readonly worker: MediaWorker;
  readonly registry: Registry;
  readonly tokens = new MediaTokens({ key: BRIDGE_KEY, clock: systemClock });
  readonly events: EarshotEvent[] = [];
  readonly #closers: CloseStack;
  /** By the token of their attachment. */
  readonly #dialled = new Map<string, TestHost[]>();
  readonly #watchers = new Set<() => void>();

  private constructor(
    redis: TestRedis,
    worker: MediaWorker,
    registry: Registry,
    closers: CloseStack,
  ) {
    this.redis = redis;
    this.worker = worker;
    this.registry = registry;
    this.#closers = closers;
  }

  static async start(
    more: Partial<MediaWorkerConfig> = {},
    { persistent = false, ...deps }: BenchDeps = {},
  ): Promise<Bench> {
    const closers = new CloseStack();
    const redis = await startTestRedis({ persistent });
    closers.defer(() => redis.close());
    const registry = new Registry({ redisUrl: redis.url, clock: systemClock });
    closers.defer(() => registry.close());
    await registry.ready();
    const worker = await startMediaWorker(testConfig(redis.url, more), depsOf(deps));
    closers.defer(() => worker.close());
    const bench = new Bench(redis, worker, registry, closers);
    const consumer = new EventConsumer({
      redisUrl: redis.url,
      clock: systemClock,
      handler: (event) => bench.#take(event),
    });
    closers.defer(() => consumer.close());
    await consumer.start();
    return bench;
  }

  /** Starts another worker on the same Redis. */
  async addWorker(
    more: Partial<MediaWorkerConfig> = {},
    deps: BenchDeps = {},
  ): Promise<MediaWorker> {
    const worker = await startMediaWorker(testConfig(this.redis.url, more), depsOf(deps));
    this.#closers.defer(() => worker.close());
    return worker;
  }

  /** Places a call, as signaling does: on this worker, by default the one that is there. */
  async place(callId = newCallId(), workerId?: string): Promise<Placed> {
    const workers = workerId === undefined ? [] : await this.registry.workers();
    const excludeWorkers = workers.map((each) => each.workerId).filter((id) => id !== workerId);
    const placed = await placeCall(this.registry, callId, { excludeWorkers });
    const { epoch, url } = placed;
    const token = await this.tokens.mint({ callId, workerId: placed.workerId, epoch });
    return { callId, epoch, token, url };
  }

  /** A host that is linked to the worker for a call of its own. */
  async host(hello: Partial<HelloMessage> = {}): Promise<{ host: TestHost; callId: string }> {
    const placed = await this.place();
    const host = await this.dial(placed, hello).connect();
    return { host, callId: placed.callId };
  }

  /** Dials as a host does: after a welcome with the resume token that it brought. */
  dial(
    placed: Omit<Placed, 'url'> & { readonly url?: string },
    hello: Partial<HelloMessage> = {},
  ): TestHost {
    const earlier = this.#dialled.get(placed.token) ?? [];
    const welcome = earlier.findLast((host) => host.welcome !== undefined)?.welcome;
    const token = welcome?.resumeToken ?? placed.token;
    const host = new TestHost({ url: this.worker.mediaUrl, ...placed, token, hello });
    this.#dialled.set(placed.token, [...earlier, host]);
    return host;
  }

  of(callId: string): EarshotEvent[] {
    return this.events.filter((event) => event.callId === callId);
  }

  ofType<Type extends EventType>(callId: string, type: Type): EventOf<Type>[] {
    return this.of(callId).filter((event): event is EventOf<Type> => event.type === type);
  }

  /** The call's events from the first to `media.stopped`, once that was consumed. */
  async stopped(callId: string): Promise<EventOf<'media.stopped'>> {
    await this.until(() => this.ofType(callId, 'media.stopped').length > 0);
    const [stopped] = this.ofType(callId, 'media.stopped');
    if (stopped === undefined) throw new Error('the call must have stopped');
    return stopped;
  }

  /** Resolves when `condition` holds; looked at whenever an event is consumed. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  close(): Promise<void> {
    return this.#closers.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take(event: EarshotEvent): void {
    this.events.push(parseEvent(structuredClone(event)));
    for (const watch of [...this.#watchers]) watch();
  }
}

function depsOf({ clock, recognizers }: BenchDeps): MediaWorkerDeps {
  return {
    log: SILENT_LOG,
    patienceMs: PATIENCE_MS,
    ...(clock === undefined ? {} : { clock }),
    ...(recognizers === undefined ? {} : { recognizers }),
  };
}

export function testConfig(
  redisUrl: string,
  more: Partial<MediaWorkerConfig> = {},
): MediaWorkerConfig {
  return {
    redisUrl,
    listen: { host: '127.0.0.1', port: 0 },
    workerId: `w_${randomBytes(6).toString('hex')}`,
    advertisedUrl: undefined,
    bridgeKey: BRIDGE_KEY,
    maxPendingPerAddress: 64,
    logLevel: 'silent',
    decodeThreads: 2,
    opusEngine: 'wasm',
    speechModel: 'silero',
    maxStreams: 100,
    ringFrames: 128,
    recognizerThreads: 1,
    recognizerBacklogMs: 10_000,
    recognizerSessions: 32,
    engines: NO_ENGINES,
    linkGraceMs: 30_000,
    drainMs: 1000,
    attributionWaitMs: 0,
    deafAfterMs: 0,
    healthLimits: new Map(),
    healthClearMs: 0,
    memoryLimitBytes: 2 ** 40,
    ...more,
  };
}

export function newCallId(): string {
  return `c_${randomBytes(17).toString('base64url')}`;
}
