import type { Clock } from '@earshot/async';
import type {
  ByeMessage,
  DiscardedMessage,
  DominantSpeakerMessage,
  HelloMessage,
  HostSendMessage,
  ResumePosition,
  SendCapability,
  StreamCloseMessage,
  StreamOpenMessage,
  ToneMessage,
  WorkerMessage,
} from '@earshot/bridge-protocol';
import { FrameCursor, LIMITS, MEDIA_SUBPROTOCOL } from '@earshot/bridge-protocol';
import { LinkListener } from './link-listener.js';
import type { LinkLog } from './link-log.js';
import { MediaConnection } from './media-connection.js';
import { MAX_PENDING_PER_ADDRESS } from './socket-options.js';
import type { UpgradeSource } from './upgrade-router.js';

/** A minute of each stream. */
const DEFAULT_CREDIT_FRAMES = 3000;

/** What a token is good for. */
export interface MediaLinkClaims {
  readonly callId: string;
  readonly epoch: number;
  /** Tells one token from all others, so that `accept` can let each open one link only. */
  readonly tokenId: string;
}

/** Why a link is not taken: told to the host as `error`, then closed with `closeCode`. */
export interface MediaLinkRefusal {
  readonly closeCode: number;
  /** Snake_case; also the reason of the close. */
  readonly code: string;
  readonly message: string;
}

/** One open media link, as its handlers see it. */
export interface MediaLinkSession {
  readonly callId: string;
  readonly epoch: number;
  readonly hello: HelloMessage;
  /** What the host can send into the meeting; undefined where the way back was not agreed. */
  readonly wayBack: SendCapability | undefined;
  /** Bytes that wait in this process for the socket to take them. */
  readonly bufferedBytes: number;
  /**
   * Sends a control message; nothing once the link is over, and nothing of the way back where it
   * was not agreed.
   *
   * @throws Error before `open` returned: `welcome` must come first.
   */
  send(message: WorkerMessage): void;
  /**
   * Sends a binary message of kind 2, copied before it returns.
   *
   * @returns false when nothing was sent: the way back was not agreed, 1 MiB waits already, or
   * the link is over.
   * @throws Error before `open` returned.
   */
  sendFrames(bytes: Uint8Array): boolean;
  /**
   * Ends the link with a close code; `closed` is told afterwards, not from within.
   *
   * @throws RangeError when the code is not 1000, 1001 or 4000 to 4999.
   */
  close(code: number, reason: string): void;
}

/**
 * Messages of an open link that handlers get; the rest is the link's own business. Those of the
 * way back come only where it was agreed.
 */
export type MediaControlMessage =
  | StreamOpenMessage
  | StreamCloseMessage
  | ToneMessage
  | DominantSpeakerMessage
  | DiscardedMessage
  | ByeMessage
  | HostSendMessage;

/** What `welcome` tells a host that its worker only knows. */
export interface MediaLinkOpening {
  readonly resume: readonly ResumePosition[];
  /** Bearer token of the next link of this attachment; undefined: the host uses its own again. */
  readonly resumeToken?: string;
}

/**
 * What a worker does with a media link. All are called on the I/O thread, `open` first; what
 * one throws closes that link with 4500.
 */
export interface MediaLinkHandlers {
  /** The link is open; `welcome` goes out with what is returned. May close the session. */
  open(session: MediaLinkSession): MediaLinkOpening;
  /**
   * A checked message, before its first frame; borrowed, as its bytes are, for the call. Frames
   * of streams that are not open come too: it is for the handler to count them.
   */
  frames(cursor: FrameCursor): void;
  message(message: MediaControlMessage): void;
  /** The host pinged, which is answered: it is there, and all that it sent before has come. */
  pinged?(): void;
  /** Called exactly once, also when the link broke between `accept` and `open`. */
  closed(code: number, reason: string): void;
}

export interface MediaLinkLimits {
  /** @defaultValue 5000 */
  readonly helloTimeoutMs?: number;
  /** How often hosts ping; two silent intervals end a link. @defaultValue 5000 */
  readonly pingIntervalMs?: number;
  /** Links at once, open or opening. @defaultValue 1024 */
  readonly maxLinks?: number;
  /**
   * Connections of one network address that are open and not yet welcomed. Behind a proxy all
   * hosts have one address.
   *
   * @defaultValue 64
   */
  readonly maxPendingPerAddress?: number;
}

export interface MediaLinkServerOptions<Claims extends MediaLinkClaims = MediaLinkClaims> {
  /** An HTTP server of node, listening or not; other links and listeners may share it. */
  readonly server: UpgradeSource;
  /** @defaultValue `/v1/media-link` */
  readonly path?: string;
  readonly workerId: string;
  readonly clock: Clock;
  readonly log: LinkLog;
  readonly limits?: MediaLinkLimits;
  /** Told to hosts in `welcome`. @defaultValue 3000 */
  readonly creditFrames?: number;
  /** Whether audio may be sent to hosts that offer to take it. @defaultValue false */
  readonly wayBack?: boolean;
  /** Judges a token before the upgrade; `error` is the code of the HTTP 401. */
  authorize(bearer: string | undefined): Promise<Claims | { readonly error: string }>;
  /** Decides on a link whose `hello` fits its token. No frame comes before it resolved. */
  accept(hello: HelloMessage, claims: Claims): Promise<MediaLinkHandlers | MediaLinkRefusal>;
}

/** A worker's end of the media links. What one host does wrong ends its own link only. */
export class MediaLinkServer<Claims extends MediaLinkClaims = MediaLinkClaims> {
  readonly #listener: LinkListener<Claims>;
  readonly #open = new Set<MediaConnection>();

  /** @throws CodedError `path_taken` */
  constructor(options: MediaLinkServerOptions<Claims>) {
    const { workerId, clock, log, limits = {}, creditFrames = DEFAULT_CREDIT_FRAMES } = options;
    // Messages are read one after the other, each within one turn: one cursor does for all.
    const cursor = new FrameCursor();
    const settings = {
      workerId,
      creditFrames,
      wayBack: options.wayBack ?? false,
      helloTimeoutMs: limits.helloTimeoutMs ?? LIMITS.helloTimeoutMs,
      pingIntervalMs: limits.pingIntervalMs ?? LIMITS.pingIntervalMs,
    };
    this.#listener = new LinkListener({
      server: options.server,
      path: options.path ?? '/v1/media-link',
      subprotocol: MEDIA_SUBPROTOCOL,
      maxLinks: limits.maxLinks ?? 1024,
      maxPendingPerAddress: limits.maxPendingPerAddress ?? MAX_PENDING_PER_ADDRESS,
      log,
      authorize: async (bearer) => {
        const result = await options.authorize(bearer);
        return 'error' in result ? { ok: false, code: result.error } : { ok: true, claims: result };
      },
      onLink: (link, claims, welcomed) => {
        const connection: MediaConnection = new MediaConnection({
          link,
          claims,
          clock,
          log,
          cursor,
          settings,
          accept: (hello) => options.accept(hello, claims),
          onOpen: () => {
            welcomed();
            this.#open.add(connection);
          },
          onClosed: () => this.#open.delete(connection),
        });
        link.start(connection);
      },
    });
  }

  /** Links that were welcomed and are not over. */
  get sessions(): number {
    return this.#open.size;
  }

  /** Closes all links with 1001, and resolves when their sockets are gone. Idempotent. */
  close(): Promise<void> {
    return this.#listener.close();
  }
}
