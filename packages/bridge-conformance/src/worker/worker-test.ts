import { once } from 'node:events';
import type { Clock } from '@earshot/async';
import type { HelloMessage, WelcomeMessage } from '@earshot/bridge-protocol';
import { MEDIA_SUBPROTOCOL } from '@earshot/bridge-protocol';
import { WebSocket } from 'ws';
import { MEDIA_EPOCH_TICKS } from '../frame-bytes.js';
import type { ForgedClaims } from '../media-jwt.js';
import { forgeMediaToken } from '../media-jwt.js';
import { NotApplicable } from '../outcome.js';
import type { Rule } from '../rule.js';
import type { UpgradeAnswer } from '../upgrade-request.js';
import { requestUpgrade, upgradeHeaders } from '../upgrade-request.js';
import { Wire } from '../wire.js';
import type { CallSource, PlacedCall } from './call-source.js';
import type { TokenBook } from './token-book.js';
import { resumeTokenOf } from './token-book.js';
import { WorkerLink } from './worker-link.js';

/** What the suite must know to make tokens that a worker must refuse. */
export interface TokenKey {
  readonly key: Uint8Array;
  readonly workerId: string;
}

export interface WorkerTestOptions {
  readonly url: string;
  readonly calls: CallSource;
  readonly tokenKey: TokenKey | undefined;
  readonly clock: Clock;
  readonly replyMs: number;
  readonly quietMs: number;
  /** Of one suite: a call that all rules share goes on with the token of its last welcome. */
  readonly tokens: TokenBook;
  /** Connections of one address that the worker leaves open and not welcomed, if known. */
  readonly pendingLimit: number | undefined;
}

/** What a link is dialled with. */
export interface DialOptions {
  /** @defaultValue the call's resume token where a welcome had one, else its media token */
  readonly token?: string;
}

/** A link that the worker has welcomed. */
export interface OpenLink {
  readonly link: WorkerLink;
  readonly welcome: WelcomeMessage;
}

/** A rule about workers. */
export type WorkerRule = Rule<WorkerTest>;

/** Of `ws`; its types don't know closeTimeout yet. A peer gets 2 s to answer a close (P-6). */
const SOCKET_OPTIONS = { perMessageDeflate: false, closeTimeout: 2000 } as const;

/** What one rule has for itself: its call, and the links that it opens. */
export class WorkerTest {
  readonly url: string;
  readonly clock: Clock;
  /** How long an answer may take. */
  readonly replyMs: number;
  /** How long nothing must come to be taken for nothing. */
  readonly quietMs: number;
  readonly #options: WorkerTestOptions;
  readonly #links: WorkerLink[] = [];
  #call: Promise<PlacedCall> | undefined;
  #isOver = false;

  constructor(options: WorkerTestOptions) {
    this.#options = options;
    this.url = options.url;
    this.clock = options.clock;
    this.replyMs = options.replyMs;
    this.quietMs = options.quietMs;
  }

  /** The rule's call. */
  call(): Promise<PlacedCall> {
    this.#call ??= this.#options.calls.place();
    return this.#call;
  }

  /** The rule's call, which it may end or use up. @throws NotApplicable when all rules share one. */
  async ownCall(): Promise<PlacedCall> {
    if (!this.#options.calls.isFixed) return await this.call();
    throw new NotApplicable('it would use up the only call: give a key to check this');
  }

  /** A call beside the rule's own. @throws NotApplicable when there is only one. */
  async anotherCall(): Promise<PlacedCall> {
    if (!this.#options.calls.isFixed) return await this.#options.calls.place();
    throw new NotApplicable('it takes two calls: give a key to check this');
  }

  /** The rule's call with a higher epoch. @throws NotApplicable when there is only one token. */
  async placeAnew(): Promise<PlacedCall> {
    const { callId } = await this.call();
    return await this.#options.calls.place(callId);
  }

  /** As `placeAnew`, on the second worker where the run has one. */
  async placeElsewhere(): Promise<PlacedCall> {
    const { calls } = this.#options;
    const { callId } = await this.call();
    return await (calls.placeElsewhere?.(callId) ?? calls.place(callId));
  }

  /** @throws NotApplicable when the run was not told. */
  get pendingLimit(): number {
    const { pendingLimit } = this.#options;
    if (pendingLimit !== undefined) return pendingLimit;
    throw new NotApplicable("tell the worker's limit (pendingLimit) to check this");
  }

  /** A token of our own making. @throws NotApplicable without the key. */
  async forge(
    changes: Partial<ForgedClaims> & { readonly key?: Uint8Array | null } = {},
  ): Promise<string> {
    const { tokenKey } = this.#options;
    if (tokenKey === undefined) throw new NotApplicable('give the token key to check this');
    const { callId, epoch } = await this.call();
    const { key = tokenKey.key, ...claims } = changes;
    const issuedAtMs = this.clock.wallclockMs();
    const { workerId } = tokenKey;
    return forgeMediaToken({ callId, epoch, workerId, issuedAtMs, ttlMs: 60_000, ...claims }, key);
  }

  /** Asks for an upgrade with headers changed; undefined leaves one out. */
  async upgrade(
    changes: Readonly<Record<string, string | undefined>> = {},
    url: string = this.url,
  ): Promise<UpgradeAnswer> {
    const token = this.#options.tokens.tokenOf(await this.call());
    const headers = upgradeHeaders({
      'sec-websocket-protocol': MEDIA_SUBPROTOCOL,
      authorization: `Bearer ${token}`,
      ...changes,
    });
    return await requestUpgrade(url, headers, this.replyMs);
  }

  /** Opens the socket of a link, and says nothing yet. @throws NotApplicable when refused. */
  async dial(given?: PlacedCall, options: DialOptions = {}): Promise<WorkerLink> {
    const call = given ?? (await this.call());
    const { tokens } = this.#options;
    const token = options.token ?? tokens.tokenOf(call);
    const socket = new WebSocket(call.url ?? this.url, MEDIA_SUBPROTOCOL, {
      ...SOCKET_OPTIONS,
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout: this.replyMs,
    });
    const wire = new Wire(socket, this.clock);
    const { replyMs, clock } = this;
    const link = new WorkerLink(wire, { clock, replyMs, hello: this.#hello(call) });
    socket.on('message', (data, isBinary) => {
      const resumeToken = isBinary ? undefined : resumeTokenOf(String(data));
      if (resumeToken === undefined) return;
      link.resumeToken = resumeToken;
      tokens.renew(call, resumeToken);
    });
    try {
      await once(socket, 'open');
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new NotApplicable(`the worker takes no link: ${why}`, 'U-3');
    }
    if (this.#isOver) await wire.break();
    this.#links.push(link);
    return link;
  }

  /** A link that is open. @throws NotApplicable when the worker doesn't open it. */
  async open(
    call?: PlacedCall,
    hello: Partial<HelloMessage> = {},
    options: DialOptions = {},
  ): Promise<OpenLink> {
    const link = await this.dial(call, options);
    return { link, welcome: await link.open(hello) };
  }

  /** Breaks a link, and opens the next one of its attachment. */
  async reopen(call: PlacedCall, link: WorkerLink): Promise<OpenLink> {
    await link.wire.break();
    return await this.open(call);
  }

  /** Ends all links. */
  async close(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#links.map((link) => link.end()));
  }

  #hello({ callId, epoch }: PlacedCall): HelloMessage {
    return {
      type: 'hello',
      version: 1,
      callId,
      mediaId: 'm_conformance',
      epoch,
      mediaEpochTicks: String(MEDIA_EPOCH_TICKS),
      clockNowTicks: String(MEDIA_EPOCH_TICKS + 10_000n),
      replayWindowMs: 0,
    };
  }
}
