import { randomBytes, randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { CloseStack } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import { HostLinkClient } from '@earshot/bridge';
import { createLog } from '@earshot/telemetry';
import { startTestRedis } from '@earshot/test-kit';
import { BenchProcess } from '../pipeline/bench-process.js';
import type { BenchLeg } from './bench-graph.js';
import { BenchGraph } from './bench-graph.js';
import type { ServiceCommand, ServiceReport } from './messages.js';

export const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const ORGANIZER = '550fae72-d251-43ec-868c-373732c2704f';
const JOIN_URL =
  'https://teams.microsoft.com/l/meetup-join/19%3ameeting_bench%40thread.v2/0' +
  `?context=${encodeURIComponent(JSON.stringify({ Tid: TENANT, Oid: ORGANIZER }))}`;
const API_KEY = 'api-key-of-the-bench';
/** As many connections as Graph's front ends may have open. */
const CONNECTIONS = 64;

/** A call of the service, and its leg. */
export interface BenchCall {
  readonly id: string;
  readonly leg: BenchLeg;
}

/** What was answered to a request. */
export interface Answered {
  readonly status: number;
  readonly text: string;
}

/** The service in a process of its own, with a real Redis, and Graph and a media host beside it. */
export class BenchDeployment {
  readonly graph: BenchGraph;
  readonly #service: BenchProcess<ServiceCommand, ServiceReport>;
  readonly #url: string;
  readonly #agent: Agent;
  readonly #closers: CloseStack;

  private constructor(
    graph: BenchGraph,
    service: BenchProcess<ServiceCommand, ServiceReport>,
    url: string,
    agent: Agent,
    closers: CloseStack,
  ) {
    this.graph = graph;
    this.#service = service;
    this.#url = url;
    this.#agent = agent;
    this.#closers = closers;
  }

  static async start(): Promise<BenchDeployment> {
    const closers = new CloseStack();
    const redis = await startTestRedis({ persistent: true });
    closers.defer(() => redis.close());
    const graph = await BenchGraph.start();
    closers.defer(() => graph.close());
    const service = new BenchProcess<ServiceCommand, ServiceReport>(
      new URL('./signaling-process.js', import.meta.url),
      undefined,
    );
    closers.defer(() => service.kill());
    const hostKey = randomBytes(24).toString('base64url');
    const environment = environmentOf(redis.url, graph, hostKey);
    const { url, hostLinkUrl } = await service.ask({ kind: 'start', environment }, 'ready');
    const host = hostOf(hostLinkUrl, hostKey);
    closers.defer(() => host.close());
    host.start();
    await host.connected;
    const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
    closers.defer(async () => agent.destroy());
    return new BenchDeployment(graph, service, url, agent, closers);
  }

  /** CPU time of the service's process so far, µs. */
  async cpuMicros(): Promise<number> {
    return (await this.#service.ask({ kind: 'cpu' }, 'cpu')).micros;
  }

  /** @throws Error when the call is not made. */
  async join(): Promise<BenchCall> {
    const { status, text } = await this.#api('POST', '/v1/calls', { joinUrl: JOIN_URL });
    if (status !== 201) throw new Error(`A call must be made, got ${status} ${text}`);
    const { id }: { id: string } = JSON.parse(text);
    const leg = this.graph.legs.get(blobOf(id));
    if (leg === undefined) throw new Error('A call must have a leg');
    return { id, leg };
  }

  /** Hangs a call up. */
  async hangUp({ id }: BenchCall): Promise<void> {
    await this.#api('DELETE', `/v1/calls/${id}`);
  }

  /** Posts a callback with a message id of its own. @throws Error unless it is answered 202. */
  async callBack(leg: BenchLeg, body: string, token: string): Promise<void> {
    const headers = {
      authorization: `Bearer ${token}`,
      'x-microsoft-skype-message-id': randomUUID(),
    };
    const { status } = await this.#send('POST', leg.callbackUri, headers, body);
    if (status !== 202) throw new Error(`A callback must be taken, got ${status}`);
  }

  /** Age of the oldest callback that waits to be folded, s. */
  async callbackAgeSeconds(): Promise<number> {
    const { text } = await this.#send('GET', `${this.#url}/metrics`, {});
    return Number(/^earshot_callback_age_seconds(?:\{[^}]*\})? (\S+)$/m.exec(text)?.[1]);
  }

  close(): Promise<void> {
    return this.#closers.close();
  }

  #api(method: string, path: string, body?: unknown): Promise<Answered> {
    const headers = { authorization: `Bearer ${API_KEY}` };
    return this.#send(
      method,
      this.#url + path,
      headers,
      body === undefined ? undefined : JSON.stringify(body),
    );
  }

  #send(
    method: string,
    url: string,
    headers: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<Answered> {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    return new Promise((resolve, reject) => {
      const sent = request(
        url,
        { method, agent: this.#agent, headers: { ...headers, ...type } },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
          response.on('error', reject);
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }
}

function environmentOf(
  redisUrl: string,
  graph: BenchGraph,
  hostKey: string,
): Record<string, string> {
  return {
    REDIS_URL: redisUrl,
    EARSHOT_LISTEN: '127.0.0.1:0',
    EARSHOT_HOST_KEY: hostKey,
    EARSHOT_BRIDGE_KEY: randomBytes(32).toString('base64url'),
    EARSHOT_API_KEY: API_KEY,
    EARSHOT_RATE_LIMIT: 'off',
    EARSHOT_MAX_CALLS: '1000000',
    EARSHOT_MAX_CALLS_PER_MONTH: '1000000',
    EARSHOT_LOG_LEVEL: 'error',
    GRAPH_BASE_URL: `${graph.url}/v1.0`,
    GRAPH_AUTHORITY_URL: graph.url,
    GRAPH_CALLBACK_OPENID_URL: `${graph.url}/openid`,
    GRAPH_CALLBACK_ISSUERS: graph.issuer,
    GRAPH_CLIENT_ID: graph.clientId,
    GRAPH_CLIENT_SECRET: 'unused',
  };
}

function blobOf(callId: string): string {
  return `blob-${callId}`;
}

function hostOf(url: string, token: string): HostLinkClient {
  return new HostLinkClient({
    url,
    token,
    hostId: 'bench-host',
    capacity: 10_000,
    clock: systemClock,
    random: Math.random,
    log: createLog({ service: 'bench', level: 'silent' }),
    handlers: {
      allocate: async (callId: string) => ({ mediaId: `m-${callId}`, blob: blobOf(callId) }),
      attach: async () => {},
      release() {},
    },
  });
}
