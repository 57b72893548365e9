import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import https from 'node:https';
import { CloseStack } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import type { EarshotEvent, EventType } from '@earshot/events';
import { EventConsumer } from '@earshot/events';
import type { TestRedis } from '@earshot/test-kit';
import { startTestRedis } from '@earshot/test-kit';
import { ServiceChild } from './service-child.js';

export { CuttingProxy } from './cutting-proxy.js';
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
}

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
  readonly redis: TestRedis;
  readonly sandbox: ServiceChild;
  readonly signaling: ServiceChild;
  readonly workers: ServiceChild[] = [];
  /** In the order in which the consumer got them. */
  readonly events: EarshotEvent[] = [];
  readonly #keys: Keys;
  readonly #closers: CloseStack;
  readonly #watchers = new Set<() => void>();

  private constructor(
    redis: TestRedis,
    sandbox: ServiceChild,
    signaling: ServiceChild,
    keys: Keys,
    closers: CloseStack,
  ) {
    this.redis = redis;
    this.sandbox = sandbox;
    this.signaling = signaling;
    this.#keys = keys;
    this.#closers = closers;
  }

  static async start(options: DeploymentOptions = {}): Promise<Deployment> {
    const closers = new CloseStack();
    const keys = { host: randomKey(), bridge: randomKey(), api: randomKey() };
    const redis = await startTestRedis({ persistent: true });
    closers.defer(() => redis.close());
    const sandbox = await ServiceChild.start('sandbox', {
      EARSHOT_HOST_KEY: keys.host,
      EARSHOT_SPEED: String(options.speed ?? 1),
      ...(options.meetingFolder === undefined
        ? {}
        : { EARSHOT_MEETING_DIR: options.meetingFolder }),
      ...options.sandbox,
    });
    closers.defer(() => sandbox.kill());
    const signaling = await ServiceChild.start('signaling', {
      REDIS_URL: redis.url,
      EARSHOT_HOST_KEY: keys.host,
      EARSHOT_BRIDGE_KEY: keys.bridge,
      EARSHOT_API_KEY: keys.api,
      GRAPH_BASE_URL: sandbox.text('graphBaseUrl'),
      GRAPH_AUTHORITY_URL: sandbox.text('authorityUrl'),
      GRAPH_CALLBACK_OPENID_URL: sandbox.text('callbackOpenIdUrl'),
      GRAPH_CALLBACK_ISSUERS: sandbox.text('callbackIssuer'),
      GRAPH_CLIENT_ID: sandbox.text('clientId'),
      GRAPH_CLIENT_SECRET: sandbox.text('clientSecret'),
      GRAPH_TENANT_ID: sandbox.text('tenantId'),
      NODE_EXTRA_CA_CERTS: sandbox.text('caFile'),
    });
    closers.defer(() => signaling.kill());
    const deployment = new Deployment(redis, sandbox, signaling, keys, closers);
    const consumer = new EventConsumer({
      redisUrl: redis.url,
      clock: systemClock,
      handler: (event) => deployment.#take(event),
    });
    closers.defer(() => consumer.close());
    await consumer.start();
    await sandbox.request({
      type: 'connectHost',
      url: signaling.text('hostLinkUrl'),
      token: keys.host,
    });
    return deployment;
  }

  /** @param environment more for the worker's, such as `EARSHOT_ADVERTISED_URL`. */
  async addWorker(environment: Readonly<Record<string, string>> = {}): Promise<ServiceChild> {
    const worker = await ServiceChild.start('media-worker', {
      REDIS_URL: this.redis.url,
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

  /** Resolves once the call ended and its media stopped. */
  ended(callId: string): Promise<void> {
    return this.until(
      () =>
        this.of(callId, 'call.ended').length > 0 &&
        this.of(callId, 'media.stopped').some(({ data }) => data.reason === 'callEnded'),
    );
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

  close(): Promise<void> {
    return this.#closers.close();
  }

  #take(event: EarshotEvent): void {
    this.events.push(structuredClone(event));
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
    return new Promise((resolve, reject) => {
      const request = https.get(`${this.sandbox.text('url')}${path}`, { ca }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.once('end', () => resolve(text));
      });
      request.once('error', reject);
    });
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

/** Prometheus' text format, as far as ours goes: a name, labels, a number. */
function readMetrics(text: string): Map<string, number> {
  const metrics = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^([a-z_]+)(?:\{.*\})? (\S+)/.exec(line);
    if (match?.[1] === undefined) continue;
    metrics.set(match[1], (metrics.get(match[1]) ?? 0) + Number(match[2]));
  }
  return metrics;
}
