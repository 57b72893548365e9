import { randomBytes } from 'node:crypto';
import type { Clock, VirtualClock } from '@earshot/async';
import { CloseStack } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import { HostLinkClient } from '@earshot/bridge';
import type { EarshotEvent } from '@earshot/events';
import { EventConsumer } from '@earshot/events';
import { Registry } from '@earshot/registry';
import { createLog } from '@earshot/telemetry';
import type { TestRedis } from '@earshot/test-kit';
import { startTestRedis } from '@earshot/test-kit';
import { vi } from 'vitest';
import { readConfig } from '../../src/config.js';
import type { AdmissionView } from '../../src/rest/admission.js';
import { PROBLEM_CODES } from '../../src/rest/problem-codes.js';
import type { CallView } from '../../src/rest/schemas.js';
import type { Signaling } from '../../src/signaling.js';
import { startSignaling } from '../../src/signaling.js';
import { GraphServer } from './graph-server.js';
import { stateItem } from './notifications.js';

export const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';
export const ORGANIZER = '550fae72-d251-43ec-868c-373732c2704f';
export const API_KEY = 'api-key-of-the-tests';
/** Of one file: a host whose service stopped dials on, and another file's may have got its port. */
export const HOST_KEY: string = randomBytes(24).toString('base64url');
export const JOIN_URL: string =
  'https://teams.microsoft.com/l/meetup-join/19%3ameeting_M2IzYzczNTItYmY3OC00MDlmLWJjMzUtYmFiMjNlOTY4MGEz%40thread.v2/0' +
  `?context=${encodeURIComponent(JSON.stringify({ Tid: TENANT, Oid: ORGANIZER }))}`;

const silent = createLog({ service: 'test', level: 'silent' });

export interface AttachOrder {
  readonly mediaId: string;
  readonly callId: string;
  readonly workerUrl: string;
  readonly token: string;
  readonly epoch: number;
}

/** A media host: the real host link, with what it was told written down. */
export interface TestHost {
  readonly hostId: string;
  readonly allocated: string[];
  readonly attached: AttachOrder[];
  readonly released: string[];
  readonly link: HostLinkClient;
  close(): Promise<void>;
}

export interface HostBehaviour {
  readonly hostId?: string;
  readonly capacity?: number;
  allocate?(callId: string): Promise<{ mediaId: string; blob: string }>;
  attach?(order: AttachOrder): Promise<void>;
}

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** Signaling with all that lies around it: Redis, Graph, hosts, workers, consumers. */
export class Harness {
  readonly redis: TestRedis;
  readonly graph: GraphServer;
  readonly registry: Registry;
  readonly bridgeKey: string = randomBytes(32).toString('base64url');
  /** What the next requests for an access token fail with. */
  readonly tokenFailures: Error[] = [];
  readonly #closers = new CloseStack();
  readonly #events: EarshotEvent[] = [];
  #consumer: EventConsumer | undefined;
  #signaling: Signaling | undefined;
  /** All that were started: a test may have several. */
  readonly #started: Signaling[] = [];
  #hosts = 0;
  private constructor(redis: TestRedis, graph: GraphServer) {
    this.redis = redis;
    this.graph = graph;
    this.registry = new Registry({ redisUrl: redis.url, clock: systemClock });
    this.#closers.defer(() => redis.close());
    this.#closers.defer(() => graph.close());
    this.#closers.defer(() => this.registry.close());
    this.#closers.defer(async () => {
      await Promise.all(this.#started.map((signaling) => signaling.close()));
    });
  }

  static async open(): Promise<Harness> {
    const [redis, graph] = await Promise.all([startTestRedis(), GraphServer.start()]);
    const harness = new Harness(redis, graph);
    await harness.registry.ready();
    return harness;
  }

  close(): Promise<void> {
    return this.#closers.close();
  }

  environment(changes: Record<string, string> = {}): Record<string, string> {
    return {
      REDIS_URL: this.redis.url,
      EARSHOT_LISTEN: '127.0.0.1:0',
      EARSHOT_HOST_KEY: HOST_KEY,
      EARSHOT_BRIDGE_KEY: this.bridgeKey,
      EARSHOT_API_KEY: API_KEY,
      // Bots stay, unless a test says otherwise: hours pass in some.
      EARSHOT_AUTO_LEAVE_NOBODY_CAME_SECONDS: 'off',
      EARSHOT_AUTO_LEAVE_ALONE_SECONDS: 'off',
      EARSHOT_AUTO_LEAVE_LOBBY_SECONDS: 'off',
      // Tests ask as often as they like, so that none depends on how fast it runs.
      EARSHOT_RATE_LIMIT: 'off',
      // Nor on how busy the machine is.
      EARSHOT_HEALTH_LIMITS: 'event_loop_delay_p99_seconds=off',
      EARSHOT_LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
      GRAPH_BASE_URL: `${this.graph.url}/v1.0`,
      GRAPH_AUTHORITY_URL: this.graph.url,
      GRAPH_CALLBACK_OPENID_URL: `${this.graph.url}/openid`,
      GRAPH_CALLBACK_ISSUERS: this.graph.issuer,
      GRAPH_CLIENT_ID: this.graph.clientId,
      GRAPH_CLIENT_SECRET: 'unused',
      ...changes,
    };
  }

  /** Starts the service; with `port`, where one ran before. */
  async start(
    options: { clock?: Clock; environment?: Record<string, string> } = {},
  ): Promise<Signaling> {
    const { clock = systemClock, environment = {} } = options;
    const signaling = await startSignaling(readConfig(this.environment(environment)), {
      clock,
      random: () => 0.5,
      tokens: {
        token: async (tenantId) => {
          const failure = this.tokenFailures.shift();
          if (failure !== undefined) throw failure;
          return `token-of-${tenantId}`;
        },
      },
    });
    this.#signaling = signaling;
    this.#started.push(signaling);
    return signaling;
  }

  async stop(): Promise<void> {
    await this.#signaling?.close();
    this.#signaling = undefined;
  }

  get signaling(): Signaling {
    if (this.#signaling === undefined) throw new Error('signaling is not running');
    return this.#signaling;
  }

  /** Connects a media host to the service that runs now. */
  async host(behaviour: HostBehaviour = {}): Promise<TestHost> {
    const host = await this.hostAt(this.signaling, behaviour);
    await vi.waitUntil(() => this.#isListed(host), WAIT);
    return host;
  }

  /** Closes a host, and waits until the service that runs now has noticed. */
  async disconnect(host: TestHost): Promise<void> {
    await host.close();
    await vi.waitUntil(async () => !(await this.#isListed(host)), WAIT);
  }

  async #isListed({ hostId }: TestHost): Promise<boolean> {
    const { hosts } = (await this.get<HostList>('/v1/hosts')).body;
    return hosts.some((listed) => listed.hostId === hostId);
  }

  /** Connects a media host to one of several processes. */
  async hostAt({ hostLinkUrl }: Signaling, behaviour: HostBehaviour): Promise<TestHost> {
    this.#hosts += 1;
    const { hostId = `host-${this.#hosts}`, capacity = 10 } = behaviour;
    const allocated: string[] = [];
    const attached: AttachOrder[] = [];
    const released: string[] = [];
    const link = new HostLinkClient({
      url: hostLinkUrl,
      token: HOST_KEY,
      hostId,
      capacity,
      clock: systemClock,
      random: Math.random,
      log: silent,
      handlers: {
        async allocate(callId: string) {
          allocated.push(callId);
          return behaviour.allocate?.(callId) ?? { mediaId: `m-${callId}`, blob: `blob-${callId}` };
        },
        async attach(order: AttachOrder) {
          attached.push(order);
          await behaviour.attach?.(order);
        },
        release(mediaId: string) {
          released.push(mediaId);
        },
      },
    });
    this.#closers.defer(() => link.close());
    link.start();
    await link.connected;
    return { hostId, allocated, attached, released, link, close: () => link.close() };
  }

  /** The callback address of the last call, at the service that runs now. */
  callbackUriNow(): string {
    const { pathname } = new URL(this.graph.lastLeg.callbackUri);
    return this.signaling.url + pathname;
  }

  /** Makes a media worker known, as it does itself by its heartbeat. */
  worker(workerId = 'worker-1', { draining = false } = {}): Promise<void> {
    const url = `ws://127.0.0.1:9/${workerId}`;
    const info = { workerId, url, load: 0, streams: 0, draining };
    return this.registry.heartbeatWorker(info, 600_000);
  }

  /** Starts a consumer like anybody's; `eventsOf` tells what it was handed. */
  async consume(): Promise<void> {
    this.#consumer = new EventConsumer({
      redisUrl: this.redis.url,
      handler: (event) => {
        this.#events.push(event);
      },
      clock: systemClock,
    });
    await this.#consumer.start();
    this.#closers.defer(() => this.#consumer?.close());
  }

  eventsOf(callId: string): EarshotEvent[] {
    return this.#events.filter((event) => event.callId === callId);
  }

  /** Waits until a call's consumer has seen its end. */
  async endOf(callId: string): Promise<EarshotEvent[]> {
    await vi.waitUntil(() => this.eventsOf(callId).some(({ type }) => type === 'call.ended'), WAIT);
    return this.eventsOf(callId);
  }

  /** Waits until nothing is left to be done for a call. */
  async closed(callId: string): Promise<void> {
    await vi.waitUntil(
      async () => (await this.registry.readCall(callId))?.endedAtMs !== undefined,
      WAIT,
    );
  }

  /** Waits until all that Graph told of a call is folded into it, and told of. */
  async folded(callId: string): Promise<void> {
    await vi.waitUntil(
      async () => (await this.redis.ask('EXISTS', `earshot:{${callId}}:notifications`)) === 0,
      WAIT,
    );
  }

  /** An established call whose audio a worker has. */
  async attachedCall(): Promise<{ id: string; graphCallId: string }> {
    const { id } = (await this.join()).body;
    const graphCallId = this.graph.lastLeg.id;
    await this.graph.notify([stateItem(graphCallId, 'established')]);
    await vi.waitUntil(async () => (await this.call(id)).media.attached, WAIT);
    return { id, graphCallId };
  }

  /** Lets virtual time pass, by default in steps that leave hosts the time to answer pings. */
  async pass(clock: VirtualClock, durationMs: number, stepMs = 4_000): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += stepMs) {
      clock.advance(Math.min(stepMs, durationMs - passedMs));
      await this.get('/v1/hosts');
    }
  }

  /** A counter of the service, all its labels together but those that are given. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const text = await (await fetch(`${this.signaling.url}/metrics`)).text();
    const series = text.matchAll(new RegExp(`^${name}(\\{[^}]*\\})? (\\d+)`, 'gm'));
    return [...series]
      .filter(([, shown = '']) =>
        Object.entries(labels).every(([label, value]) => shown.includes(`${label}="${value}"`)),
      )
      .reduce((sum, [, , value]) => sum + Number(value), 0);
  }

  async admission(): Promise<AdmissionView> {
    return (await this.get<AdmissionView>('/v1/admission')).body;
  }

  join(
    body: unknown = { joinUrl: JOIN_URL },
    headers: Record<string, string> = {},
  ): Promise<Answer<CallView & Problem>> {
    return this.request('POST', '/v1/calls', body, headers);
  }

  get<T>(path: string): Promise<Answer<T>> {
    return this.request('GET', path);
  }

  async call(id: string): Promise<CallView> {
    return (await this.get<CallView>(`/v1/calls/${id}`)).body;
  }

  /** Waits until a call is in the given state, and returns it. */
  async reaches(id: string, state: string): Promise<CallView> {
    return vi.waitUntil(async () => {
      const call = await this.call(id);
      return call.state === state && call;
    }, WAIT);
  }

  request<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    return this.requestAt(this.signaling, method, path, body, headers);
  }

  /** Asks one of several processes. */
  async requestAt<T>(
    { url }: Signaling,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${API_KEY}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const value = text === '' ? undefined : JSON.parse(text);
    if (response.headers.get('content-type')?.startsWith('application/problem+json')) {
      requireListed(value);
    }
    return { status: response.status, headers: response.headers, body: value };
  }
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly fix?: string;
}

/** Whatever a test provokes, its code must be one that the API's documents know, with its status. */
function requireListed({ code, status }: Problem): void {
  if (PROBLEM_CODES[code]?.statuses.includes(status)) return;
  throw new Error(`PROBLEM_CODES must have ${code} with ${status}`);
}

/** What the API tells of media hosts, as far as tests look at it. */
export interface HostList {
  readonly hosts: readonly { hostId: string; activeCalls: number }[];
}

/** Outcomes are waited for, never slept for; for long, as machines may be slow. */
export const WAIT: { timeout: number; interval: number } = { timeout: 40_000, interval: 20 };
