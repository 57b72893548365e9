import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '@earshot/async';
import type { JSONWebKeySet, JWTPayload } from 'jose';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { Watched } from './watched.js';

/** A callback that came in, with what its token said. */
export interface Callback {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly claims: JWTPayload;
  readonly changeType: string;
  readonly resource: string;
  readonly resourceUrl: string;
  readonly data: CallData | ParticipantData[];
}

export interface CallData {
  readonly '@odata.type': string;
  readonly state?: string;
  readonly resultInfo?: { readonly code: number; readonly subcode: number };
  readonly mediaState?: { readonly audio: string };
}

export interface ParticipantData {
  readonly id: string;
  readonly info: { readonly identity: Readonly<Record<string, { displayName?: string } | string>> };
  readonly mediaStreams: readonly { readonly mediaType: string; readonly sourceId: string }[];
  readonly isMuted: boolean;
  readonly isInLobby: boolean;
  readonly rosterSequenceNumber: number;
}

/** The receiving end of callbacks, which checks every token as a bot has to. */
export class TestBot {
  readonly callbacks: Watched<Callback> = new Watched();
  /** Statuses to answer with, one a request, before 202 becomes the rule. */
  readonly answers: number[] = [];
  readonly refused: string[] = [];
  /** All that was accepted, as it came. */
  readonly bodies: unknown[] = [];
  readonly #server: Server;
  readonly #clock: Clock;
  #verify: ((token: string) => Promise<JWTPayload>) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        void this.#take(request.url ?? '', request.headers, Buffer.concat(chunks), response);
      });
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  /** Learns whose signature to trust. */
  async trust(openIdUrl: string, clientId: string, fetchTrusting: typeof fetch): Promise<void> {
    const metadata = (await (await fetchTrusting(openIdUrl)).json()) as {
      issuer: string;
      jwks_uri: string;
    };
    const jwks = (await (await fetchTrusting(metadata.jwks_uri)).json()) as JSONWebKeySet;
    const keys = createLocalJWKSet(jwks);
    this.#verify = async (token) => {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['RS256'],
        audience: clientId,
        issuer: metadata.issuer,
        currentDate: new Date(this.#clock.wallclockMs()),
      });
      return payload;
    };
  }

  /** A callback address of its own. */
  uri(key: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/callbacks/${key}`;
  }

  of(key: string): Callback[] {
    return this.callbacks.items.filter(({ path }) => path === `/callbacks/${key}`);
  }

  /** States of the call in the order in which they were told. */
  states(key: string): string[] {
    return this.of(key).flatMap(({ data }) =>
      !Array.isArray(data) && data.state ? [data.state] : [],
    );
  }

  rosters(key: string): ParticipantData[][] {
    return this.of(key).flatMap(({ data }) => (Array.isArray(data) ? [data] : []));
  }

  untilState(key: string, state: string): Promise<Callback> {
    return this.callbacks.first(
      ({ path, data }) =>
        path === `/callbacks/${key}` && !Array.isArray(data) && data.state === state,
    );
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #take(
    path: string,
    headers: IncomingHttpHeaders,
    body: Buffer,
    response: ServerResponse,
  ): Promise<void> {
    const status = this.answers.shift() ?? 202;
    try {
      if (status === 202) await this.#accept(path, headers, JSON.parse(body.toString('utf8')));
      response.writeHead(status).end();
    } catch (error) {
      this.refused.push(String(error));
      response.writeHead(401).end();
    }
  }

  async #accept(path: string, headers: IncomingHttpHeaders, body: Notifications): Promise<void> {
    const token = headers.authorization?.replace(/^Bearer /, '') ?? '';
    if (this.#verify === undefined) throw new Error('nobody is trusted yet');
    const claims = await this.#verify(token);
    this.bodies.push(body);
    for (const { changeType, resource, resourceUrl, resourceData } of body.value) {
      const callback = { path, headers, claims, changeType, resource, resourceUrl };
      this.callbacks.add({ ...callback, data: resourceData });
    }
  }
}

interface Notifications {
  readonly '@odata.type': string;
  readonly value: readonly {
    readonly changeType: string;
    readonly resource: string;
    readonly resourceUrl: string;
    readonly resourceData: CallData | ParticipantData[];
  }[];
}
