import { randomUUID, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@earshot/async';
import type {
  MediaLinkClaims,
  MediaLinkHandlers,
  MediaLinkRefusal,
  MediaLinkSession,
} from '@earshot/bridge';
import { CLOSE } from '@earshot/bridge-protocol';
import type { MediaTokens, MediaTokenUse } from '@earshot/media-token';

/** A link may be opened so much later than its token was looked at, with an ample margin. */
const HANDSHAKE_MS = 30_000;

/** Far longer than any call: the worker forgets the attachment first. */
const RESUME_TTL_MS = 30 * 24 * 3_600_000;

export interface LinkTokensOptions {
  readonly tokens: MediaTokens;
  readonly workerId: string;
  readonly clock: Clock;
  /**
   * Used tokens remembered until they expire and a little longer. When it is full of such, links are refused as busy:
   * to forget one would let it be used again.
   *
   * @defaultValue 16 384
   */
  readonly maxUsed?: number;
}

/** A token that opens one more link, as long as no other use came first. */
export interface LinkClaims extends MediaLinkClaims {
  readonly use: MediaTokenUse;
  /** Wallclock, ms since 1970. */
  readonly expiresAtMs: number;
}

interface Attachment {
  readonly callId: string;
  readonly epoch: number;
}

/** What is wrong with a token whose signature is good. */
type Fault = 'replayed' | 'expired' | 'worker_busy';

/** How a link is refused that was upgraded before its token was found to be wrong. */
const REFUSALS: Readonly<Record<Fault, MediaLinkRefusal>> = {
  replayed: {
    closeCode: CLOSE.unauthorized,
    code: 'replayed',
    message: 'Cannot attach: its token must not have opened another link',
  },
  expired: {
    closeCode: CLOSE.conflict,
    code: 'attachment_over',
    message: 'Cannot attach: an attachment that ended must not return',
  },
  worker_busy: {
    closeCode: CLOSE.busy,
    code: 'worker_busy',
    message: 'Cannot attach: the worker must have room to remember its token',
  },
};

/**
 * Lets each token open one link. The token of an attachment's beginning is used up by its
 * welcome; from then on only the resume token of the last welcome is good, until the attachment
 * is over. Nothing of it outlives the process: a worker that restarts under the same id takes a
 * token of the last minute again.
 */
export class LinkTokens {
  readonly #tokens: MediaTokens;
  readonly #workerId: string;
  readonly #clock: Clock;
  readonly #maxUsed: number;
  /** Expiry by token id. */
  readonly #used = new Map<string, number>();
  /** Id of the one resume token that is good, by attachment. */
  readonly #resumable = new Map<string, string>();

  constructor({ tokens, workerId, clock, maxUsed = 16_384 }: LinkTokensOptions) {
    this.#tokens = tokens;
    this.#workerId = workerId;
    this.#clock = clock;
    this.#maxUsed = maxUsed;
  }

  /** Judges a token when its link is dialled; uses nothing up. */
  async authorize(bearer: string | undefined): Promise<LinkClaims | { readonly error: string }> {
    const verified = await this.#tokens.verify(bearer, { workerId: this.#workerId });
    if (!verified.ok) return { error: verified.code };
    const fault = this.#faultOf(verified);
    // No room is no fault of the token: `accept` tells of it, by a close that says so.
    return fault === undefined || fault === 'worker_busy' ? verified : { error: fault };
  }

  /**
   * Has `accept` decide on a link, and gives the link that opens a resume token. The token of the
   * link is used up in the turn in which its welcome goes out, so that a host that was not
   * welcomed may try again, and of two links with one token the second is refused.
   */
  async accept(
    claims: LinkClaims,
    accept: () => Promise<MediaLinkHandlers | MediaLinkRefusal>,
  ): Promise<MediaLinkHandlers | MediaLinkRefusal> {
    const fault = this.#faultOf(claims);
    if (fault !== undefined) return REFUSALS[fault];
    const nextId = randomUUID();
    const next = await this.#mint(claims, nextId);
    const accepted = await accept();
    if ('closeCode' in accepted) return accepted;
    return {
      ...accepted,
      open: (session) => this.#open(session, accepted, claims, { token: next, tokenId: nextId }),
    };
  }

  /** The attachment is over: no token of it is good any more. */
  forget(attachment: Attachment): void {
    this.#resumable.delete(keyOf(attachment));
  }

  #open(
    session: MediaLinkSession,
    handlers: MediaLinkHandlers,
    claims: LinkClaims,
    next: { readonly token: string; readonly tokenId: string },
  ): ReturnType<MediaLinkHandlers['open']> {
    const fault = this.#faultOf(claims);
    if (fault !== undefined) {
      session.close(REFUSALS[fault].closeCode, REFUSALS[fault].code);
      return { resume: [] };
    }
    const opening = handlers.open(session);
    if (claims.use === 'attach') this.#used.set(claims.tokenId, claims.expiresAtMs);
    this.#resumable.set(keyOf(claims), next.tokenId);
    return { ...opening, resumeToken: next.token };
  }

  #faultOf(claims: LinkClaims): Fault | undefined {
    if (claims.use === 'attach') return this.#faultOfAttach(claims.tokenId);
    const good = this.#resumable.get(keyOf(claims));
    if (good === undefined) return 'expired';
    return sameText(good, claims.tokenId) ? undefined : 'replayed';
  }

  #faultOfAttach(tokenId: string): Fault | undefined {
    if (this.#used.has(tokenId)) return 'replayed';
    if (this.#used.size >= this.#maxUsed) this.#dropExpired();
    return this.#used.size < this.#maxUsed ? undefined : 'worker_busy';
  }

  #dropExpired(): void {
    const overMs = this.#clock.wallclockMs() - HANDSHAKE_MS;
    for (const [tokenId, expiresAtMs] of this.#used) {
      if (expiresAtMs <= overMs) this.#used.delete(tokenId);
    }
  }

  #mint({ callId, epoch }: Attachment, tokenId: string): Promise<string> {
    const workerId = this.#workerId;
    const use = 'resume';
    return this.#tokens.mint({ callId, workerId, epoch, use, tokenId, ttlMs: RESUME_TTL_MS });
  }
}

function keyOf({ callId, epoch }: Attachment): string {
  return `${callId} ${epoch}`;
}

/** In a time that tells nothing of where they differ. */
function sameText(one: string, other: string): boolean {
  const a = Buffer.from(one);
  const b = Buffer.from(other);
  return a.length === b.length && timingSafeEqual(a, b);
}
