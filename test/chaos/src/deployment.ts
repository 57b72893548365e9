import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloseStack } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import type { EarshotEvent, EventType } from '@earshot/events';
import { EventConsumer, EventPublisher } from '@earshot/events';
import { startTestRedis } from '@earshot/test-kit';
import { getText, readMetrics } from './metrics.js';
import { ServiceChild } from './service-child.js';

export type { CallFacts, Disorder, FrameTotals } from './audit.js';
export { disorderOf, factsOf, totalsOf } from './audit.js';
export type { SpreadCallback } from './callback-spreader.js';
export { CallbackSpreader } from './callback-spreader.js';
export { CuttingProxy } from './cutting-proxy.js';
export type { Hold } from './holding-proxy.js';
export { HoldingProxy } from './holding-proxy.js';
export { seeded } from './seeded.js';
export { SpeechServer } from './speech-server.js';
export { StallingProxy } from './stalling-proxy.js';
export type { Sound, TestMeeting } from './test-meeting.js';
export { writeMeeting } from './test-meeting.js';
export { ServiceChild };

export interface DeploymentOptions {
  /** Folder of `meeting.json`; the sandbox's own meeting by default. */
  readonly meetingFolder?: string;
  /** Times real time. @defaultValue 1 */
  readonly speed?: number;
  /** More for the sandbox's environment. */
  readonly sandbox?: Readonly<Record<string, string>>;
  /** More for the environment of workers. */
  readonly worker?: Readonly<Record<string, string>>;
  /** More for the environment of signaling. */
  readonly signaling?: Readonly<Record<string, string>>;
  /** Where Redis is; a private one, whose data outlives it, by default. */
  readonly redisUrl?: string;
  /** Workers from the start. @defaultValue 0 */
  readonly workers?: number;
}

const POLL_MS = 50;

/** Event ids that only these tests give. */
const BARRIER = 'chaos.barrier.';

/** A call as far as these tests look at it. */
export interface CallView {
  readonly id: string;
  readonly state: string;
  readonly media: { readonly workerId?: string; readonly attached: boolean };
}

/** Slots of one stream counted lost by both ends. */
export interface HostAccount {
  readonly streamId: number;
  readonly isComplete: boolean;
  readonly lost: number;
  readonly workerLost?: number;
  readonly workerDropped?: number;
}

/** All services as processes of their own, over a real Redis, with a consumer of all events. */
export class Deployment {
  readonly redisUrl: string;
  readonly workers: ServiceChild[] = [];
  /** In the order in which the consumer got them. */
  readonly events: EarshotEvent[] = [];
  readonly #keys: Keys = { host: randomKey(), bridge: randomKey(), api: randomKey() };
  readonly #closers: CloseStack;
  readonly #watchers = new Set<() => void>();
  readonly #barriers = new Map<string, () => void>();
  readonly #consumer: EventConsumer;
  readonly #publisher: EventPublisher;
  #sandbox: ServiceChild | undefined;
  #signaling: ServiceChild | undefined;

  private constructor(redisUrl: string, closers: CloseStack) {
    this.redisUrl = redisUrl;
    this.#closers = closers;
    this.#consumer = new EventConsumer({
      redisUrl,
      clock: systemClock,
      handler: (event) => this.#take(event),
    });
    this.#publisher = new EventPublisher({ redisUrl, clock: systemClock });
  }

  static async start(options: DeploymentOptions = {}): Promise<Deployment> {
    const closers = new CloseStack();
    try {
      return await Deployment.#start(options, closers);
    } catch (error) {
      await closers.close();
      throw error;
    }
  }

  static async #start(options: DeploymentOptions, closers: CloseStack): Promise<Deployment> {
    let { redisUrl } = options;
    if (redisUrl === undefined) {
      const redis = await startTestRedis({ persistent: true });
      closers.defer(() => redis.close());
      redisUrl = redis.url;
    }
    const deployment = new Deployment(redisUrl, closers);
    closers.defer(() => deployment.#publisher.close({ deadlineMs: 0 }));
    closers.defer(() => deployment.#consumer.close());
    await Promise.all([
      deployment.#startHost(options),
      deployment.#consumer.start(),
      deployment.#publisher.ready(),
      ...Array.from({ length: options.workers ?? 0 }, () => deployment.addWorker(options.worker)),
    ]);
    return deployment;
  }

  /** The sandbox, then signaling, which must know it. */
  async #startHost(options: DeploymentOptions): Promise<void> {
    const sandbox = await ServiceChild.start('sandbox', {
      EARSHOT_HOST_KEY: this.#keys.host,
      EARSHOT_SPEED: String(options.speed ?? 1),
      ...(options.meetingFolder === undefined
        ? {}
        : { EARSHOT_MEETING_DIR: options.meetingFolder }),
      ...options.sandbox,
    });
    this.#sandbox = sandbox;
    this.#closers.defer(() => sandbox.kill());
    const signaling = await this.addSignaling(options.signaling);
    this.#signaling = signaling;
    const url = signaling.text('hostLinkUrl');
    await sandbox.request({ type: 'connectHost', url, token: this.#keys.host });
  }

  /**
   * One more process of signaling, without a media host of its own.
   *
   * @param environment more for its environment, such as `EARSHOT_PUBLIC_URL`.
   */
  async addSignaling(environment: Readonly<Record<string, string>> = {}): Promise<ServiceChild> {
    const { sandbox } = this;
    const signaling = await ServiceChild.start('signaling', {
      REDIS_URL: this.redisUrl,
      EARSHOT_HOST_KEY: this.#keys.host,
      EARSHOT_BRIDGE_KEY: this.#keys.bridge,
      EARSHOT_API_KEY: this.#keys.api,
      GRAPH_BASE_URL: sandbox.text('graphBaseUrl'),
      GRAPH_AUTHORITY_URL: sandbox.text('authorityUrl'),
      GRAPH_CALLBACK_OPENID_URL: sandbox.text('callbackOpenIdUrl'),
      GRAPH_CALLBACK_ISSUERS: sandbox.text('callbackIssuer'),
      GRAPH_CLIENT_ID: sandbox.text('clientId'),
      GRAPH_CLIENT_SECRET: sandbox.text('clientSecret'),
      GRAPH_TENANT_ID: sandbox.text('tenantId'),
      NODE_EXTRA_CA_CERTS: sandbox.text('caFile'),
      ...environment,
    });
    this.#closers.defer(() => signaling.kill());
    return signaling;
  }

  get sandbox(): ServiceChild {
    if (this.#sandbox === undefined) throw new Error('the sandbox must run');
    return this.#sandbox;
  }

  get signaling(): ServiceChild {
    if (this.#signaling === undefined) throw new Error('signaling must run');
    return this.#signaling;
  }

  /** Events that the consumer left out because they had come before. */
  get duplicates(): number {
    return this.#consumer.stats.duplicates;
  }

  /** @param environment more for the worker's, such as `EARSHOT_ADVERTISED_URL`. */
  async addWorker(environment: Readonly<Record<string, string>> = {}): Promise<ServiceChild> {
    const worker = await ServiceChild.start('media-worker', {
      REDIS_URL: this.redisUrl,
      EARSHOT_BRIDGE_KEY: this.#keys.bridge,
      EARSHOT_DECODE_THREADS: '1',
      ...environment,
    });
    this.workers.push(worker);
    this.#closers.defer(() => worker.kill());
    return worker;
  }

  /** The worker that has a call, as signaling knows it. */
  async workerOf(callId: string): Promise<ServiceChild> {
    const { media } = await this.call(callId);
    const worker = this.workers.find((child) => child.ready['workerId'] === media.workerId);
    if (worker === undefined) throw new Error('the call must have a worker of this deployment');
    return worker;
  }

  /** Joins the sandbox's first meeting. */
  async join(): Promise<string> {
    const meetings = this.sandbox.ready['meetings'];
    const joinUrl: unknown = Array.isArray(meetings) ? meetings[0]?.joinUrl : undefined;
    const { id } = await this.#api<CallView>('POST', '/v1/calls', { joinUrl });
    return id;
  }

  call(callId: string): Promise<CallView> {
    return this.#api('GET', `/v1/calls/${callId}`);
  }

  of<Type extends EventType>(callId: string, type: Type): Extract<EarshotEvent, { type: Type }>[] {
    const isOf = (event: EarshotEvent): event is Extract<EarshotEvent, { type: Type }> =>
      event.callId === callId && event.type === type;
    return this.events.filter(isOf);
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

  /** Resolves once the call ended, its media stopped, and all events of it so far were delivered. */
  async ended(callId: string): Promise<void> {
    await this.until(
      () =>
        this.of(callId, 'call.ended').length > 0 &&
        this.of(callId, 'media.stopped').some(({ data }) => data.reason === 'callEnded'),
    );
    await this.delivered(callId);
  }

  /** Resolves when all events of a call that are in Redis now were delivered. */
  async delivered(callId: string): Promise<void> {
    const id = `${BARRIER}${randomKey()}`;
    const passed = new Promise<void>((resolve) => this.#barriers.set(id, resolve));
    this.#publisher.publish({
      version: 1,
      id,
      type: 'call.stateChanged',
      callId,
      epoch: 0,
      source: 'signaling',
      position: 0,
      mediaTimeMs: null,
      wallclock: new Date(systemClock.wallclockMs()).toISOString(),
      participant: null,
      sourceId: null,
      data: { from: 'barrier', to: 'barrier' },
    });
    await passed;
  }

  /** The sandbox's metrics by name, summed over labels. */
  async hostMetrics(): Promise<Map<string, number>> {
    return readMetrics(await this.#sandboxText('/metrics'));
  }

  /** What the media host counted lost of a call's streams, and what its worker told. */
  async accounts(callId: string): Promise<readonly HostAccount[]> {
    const media: { readonly accounts: readonly HostAccount[] } = JSON.parse(
      await this.#sandboxText(`/sandbox/calls/${callId}/media`),
    );
    return media.accounts;
  }

  async workerMetrics(worker: ServiceChild): Promise<Map<string, number>> {
    return readMetrics(await (await fetch(`${worker.text('url')}/metrics`)).text());
  }

  /** Resolves once a worker has no call any more. */
  async workerIsFree(worker: ServiceChild): Promise<void> {
    while ((await this.workerMetrics(worker)).get('earshot_calls') !== 0) await sleep(POLL_MS);
  }

  close(): Promise<void> {
    return this.#closers.close();
  }

  #take(event: EarshotEvent): void {
    if (event.id.startsWith(BARRIER)) this.#barriers.get(event.id)?.();
    else this.events.push(structuredClone(event));
    for (const watch of [...this.#watchers]) watch();
  }

  async #api<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.signaling.text('url')}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#keys.api}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }

  async #sandboxText(path: string): Promise<string> {
    const ca = await readFile(this.sandbox.text('caFile'));
    return getText(`${this.sandbox.text('url')}${path}`, ca);
  }
}

interface Keys {
  readonly host: string;
  readonly bridge: string;
  readonly api: string;
}

function randomKey(): string {
  return randomBytes(32).toString('base64url');
}
