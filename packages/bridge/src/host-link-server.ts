import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type { AttachMessage, MediaState } from '@earshot/bridge-protocol';
import { CLOSE, HOST_SUBPROTOCOL, LIMITS } from '@earshot/bridge-protocol';
import type { HostInfo, HostReply } from './host-connection.js';
import { HostConnection } from './host-connection.js';
import type { Link } from './link.js';
import { LinkListener } from './link-listener.js';
import type { LinkLog } from './link-log.js';
import { MAX_PENDING_PER_ADDRESS } from './socket-options.js';
import type { UpgradeSource } from './upgrade-router.js';

/** Far above any fleet of Windows VMs; a bound against a host that dials in a loop. */
const MAX_LINKS = 1024;

/** What an `attach` says beside its request id. */
export type AttachRequest = Omit<AttachMessage, 'type' | 'requestId'>;

/** A media session of a host, and what Graph needs to use it. */
export interface MediaAllocation {
  readonly mediaId: string;
  /** Opaque; secret. */
  readonly blob: string;
}

export interface HostMediaState {
  readonly hostId: string;
  readonly mediaId: string;
  readonly state: MediaState;
  readonly detail?: string;
}

export interface HostLinkServerOptions {
  /** An HTTP server of node, listening or not; other links and listeners may share it. */
  readonly server: UpgradeSource;
  /** @defaultValue `/v1/host-link` */
  readonly path?: string;
  readonly clock: Clock;
  readonly log: LinkLog;
  /** @defaultValue 10 000 */
  readonly requestTimeoutMs?: number;
  /**
   * Connections of one network address that are open and not yet welcomed. Behind a proxy all
   * hosts have one address.
   *
   * @defaultValue 64
   */
  readonly maxPendingPerAddress?: number;
  /** Compares in constant time. */
  authorize(bearer: string | undefined): boolean;
  onHostUp?(host: HostInfo): void;
  /** Its calls may go on: a host that lost only its link comes back with them. */
  onHostDown?(hostId: string): void;
  /** A host answered a ping after so many ms. */
  onRoundTrip?(rttMs: number): void;
  /** A host attached a session: told in order with its states, and before `attach` resolves. */
  onAttached?(session: { readonly hostId: string; readonly mediaId: string }): void;
  /** Told again after each reconnect: take repeats. */
  onMediaState?(state: HostMediaState): void;
}

/**
 * Signaling's end of the host links: knows the hosts that are up and asks them for media. One
 * link per host id; a newer one replaces the older.
 */
export class HostLinkServer {
  readonly #options: HostLinkServerOptions;
  readonly #listener: LinkListener<undefined>;
  readonly #hosts = new Map<string, HostConnection>();

  /** @throws CodedError `path_taken` */
  constructor(options: HostLinkServerOptions) {
    this.#options = options;
    this.#listener = new LinkListener({
      server: options.server,
      path: options.path ?? '/v1/host-link',
      subprotocol: HOST_SUBPROTOCOL,
      maxLinks: MAX_LINKS,
      maxPendingPerAddress: options.maxPendingPerAddress ?? MAX_PENDING_PER_ADDRESS,
      log: options.log,
      authorize: (bearer) =>
        options.authorize(bearer)
          ? { ok: true, claims: undefined }
          : { ok: false, code: bearer === undefined ? 'missing' : 'wrong_key' },
      onLink: (link, _, welcomed) => this.#start(link, welcomed),
    });
  }

  /** The hosts that are up, with what each last said. */
  hosts(): HostInfo[] {
    return Array.from(this.#hosts.values(), ({ info }) => info).filter(
      (info) => info !== undefined,
    );
  }

  /**
   * Asks a host for a media session.
   *
   * @throws CodedError `host_unavailable`, `host_refused`, `host_timeout`
   */
  async allocate(hostId: string, callId: string): Promise<MediaAllocation> {
    const host = this.#find(hostId);
    if (host.info?.draining === true) {
      throw unavailable(`it must take new calls, got ${hostId}, which is draining`);
    }
    const reply = await host.request((requestId) => ({ type: 'allocate', requestId, callId }));
    if (reply.type !== 'allocated') throw refusal(host, reply, 'allocate media');
    return { mediaId: reply.mediaId, blob: reply.blob };
  }

  /**
   * Has a host send a media session to a worker; resolves when the worker welcomed it.
   *
   * @throws CodedError `host_unavailable`, `host_refused`, `host_timeout`
   */
  async attach(hostId: string, request: AttachRequest): Promise<void> {
    const host = this.#find(hostId);
    const reply = await host.request((requestId) => {
      return { type: 'attach', requestId, ...request };
    });
    if (reply.type !== 'attached') throw refusal(host, reply, 'attach media');
  }

  /** Ends a media session; nothing when the host is away, which then has to notice by itself. */
  release(hostId: string, mediaId: string): void {
    this.#hosts.get(hostId)?.send({ type: 'release', mediaId });
  }

  /** Closes all links with 1001: hosts come back when there is a server again. Idempotent. */
  close(): Promise<void> {
    return this.#listener.close();
  }

  #start(link: Link, welcomed: () => void): void {
    const { clock, requestTimeoutMs = LIMITS.requestTimeoutMs } = this.#options;
    const connection: HostConnection = new HostConnection({
      link,
      clock,
      requestTimeoutMs,
      onHello: (_, hostId) => {
        welcomed();
        this.#up(connection, hostId);
      },
      onRoundTrip: (rttMs) => this.#options.onRoundTrip?.(rttMs),
      onClosed: (_, code) => this.#closed(connection, code),
      onAttached: (mediaId) => {
        const hostId = connection.info?.hostId;
        if (hostId !== undefined) this.#options.onAttached?.({ hostId, mediaId });
      },
      onMediaState: ({ mediaId, state, detail }) => {
        const hostId = connection.info?.hostId;
        if (hostId === undefined) return;
        this.#options.onMediaState?.({
          hostId,
          mediaId,
          state,
          ...(detail === undefined ? {} : { detail }),
        });
      },
    });
    link.start(connection);
  }

  #up(connection: HostConnection, hostId: string): void {
    const { log } = this.#options;
    const earlier = this.#hosts.get(hostId);
    if (earlier !== undefined) {
      log.warn('host link replaced', { hostId });
      this.#hosts.delete(hostId);
      earlier.close(CLOSE.conflict, 'replaced');
      this.#options.onHostDown?.(hostId);
    }
    this.#hosts.set(hostId, connection);
    log.info('host up', { hostId });
    if (connection.info !== undefined) this.#options.onHostUp?.(connection.info);
  }

  #closed(connection: HostConnection, code: number): void {
    const hostId = connection.info?.hostId;
    if (hostId === undefined || this.#hosts.get(hostId) !== connection) return;
    this.#hosts.delete(hostId);
    this.#options.log.warn('host down', { hostId, code });
    this.#options.onHostDown?.(hostId);
  }

  #find(hostId: string): HostConnection {
    const host = this.#hosts.get(hostId);
    if (host === undefined) throw unavailable(`its link must be up, got ${hostId}, which is away`);
    return host;
  }
}

function unavailable(rule: string): CodedError {
  return new CodedError('host_unavailable', `Cannot ask the host: ${rule}`);
}

function refusal(host: HostConnection, reply: HostReply, action: string): CodedError {
  if (reply.type === 'refused') {
    return new CodedError(
      'host_refused',
      `Cannot ${action}: the host must agree, got ${reply.code}`,
    );
  }
  host.close(CLOSE.protocolError, 'wrong_answer');
  return new CodedError(
    'host_refused',
    `Cannot ${action}: the host must answer what it was asked, got ${reply.type}`,
  );
}
