import { createHash } from 'node:crypto';
import type { Clock } from '@earshot/async';
import type { CallbackVerdict } from '@earshot/graph';
import { LRUCache } from 'lru-cache';

/** A key that its signer withdrew counts for so much longer, at most. */
const REMEMBERED_MS = 60_000;
/** One for each tenant as a rule. */
const CAPACITY = 1_000;

/** What checks a callback's token. */
export interface CallbackVerifier {
  verify(authorizationHeader: string | undefined): Promise<CallbackVerdict>;
}

/**
 * Remembers tokens that were found good for a minute, or until they expire: Graph sends one with
 * many callbacks, and to check a signature costs more than all else that happens before 202.
 */
export class CallbackVerdicts implements CallbackVerifier {
  readonly #verifier: CallbackVerifier;
  readonly #clock: Clock;
  /** By digest: tokens are secrets. */
  readonly #good: LRUCache<string, CallbackVerdict>;

  constructor(verifier: CallbackVerifier, clock: Clock) {
    this.#verifier = verifier;
    this.#clock = clock;
    this.#good = new LRUCache<string, CallbackVerdict>({
      max: CAPACITY,
      ttl: REMEMBERED_MS,
      ttlResolution: 0,
      perf: { now: () => clock.wallclockMs() },
    });
  }

  async verify(authorizationHeader: string | undefined): Promise<CallbackVerdict> {
    if (authorizationHeader === undefined) return this.#verifier.verify(undefined);
    const digest = createHash('sha256').update(authorizationHeader).digest('base64');
    const known = this.#good.get(digest);
    if (known !== undefined) return known;
    const verdict = await this.#verifier.verify(authorizationHeader);
    if (!verdict.ok) return verdict;
    const ttl = Math.min(REMEMBERED_MS, this.#millisecondsLeft(authorizationHeader));
    if (ttl > 0) this.#good.set(digest, verdict, { ttl });
    return verdict;
  }

  /** Of a token that was found good. */
  #millisecondsLeft(authorizationHeader: string): number {
    const [, payload = ''] = authorizationHeader.split('.');
    try {
      const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
      const isDated = typeof claims === 'object' && claims !== null && 'exp' in claims;
      return isDated ? Number(claims.exp) * 1_000 - this.#clock.wallclockMs() : 0;
    } catch {
      return 0;
    }
  }
}
