import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { TokenKey } from '../src/index.js';
import type { WorkerDefect } from './small-worker-link.js';

/** What a token allows, and the token. */
export interface SmallClaims {
  readonly callId: string;
  readonly epoch: number;
  readonly token: string;
}

export type SmallVerdict = SmallClaims | { readonly code: string };

/** Media tokens and resume tokens of a small worker: each opens one link. */
export class SmallTokens {
  readonly #key: TokenKey;
  readonly #defect: WorkerDefect | undefined;
  readonly #used = new Set<string>();
  /** The one that is good, by call and epoch; and what is known of all of them. */
  readonly #last = new Map<string, string>();
  readonly #resume = new Map<string, SmallClaims & { readonly expiresAtMs: number }>();

  constructor(key: TokenKey, defect: WorkerDefect | undefined) {
    this.#key = key;
    this.#defect = defect;
  }

  judge(authorization = ''): SmallVerdict {
    const [, token = ''] = /^Bearer (\S+)$/.exec(authorization) ?? [];
    if (this.isUsed(token)) return { code: 'replayed' };
    const resumed = this.#resume.get(token);
    if (resumed === undefined) return this.#mediaToken(token);
    const isLast = this.#last.get(keyOf(resumed)) === token;
    const keepsAll = this.#defect === 'keepsOldResumeTokens' || this.#defect === 'tokensForEver';
    if (!isLast && !keepsAll) return { code: 'replayed' };
    const isOver = this.#defect === 'resumeTokensExpire' && resumed.expiresAtMs < Date.now();
    return isOver ? { code: 'expired' } : resumed;
  }

  isUsed(token: string): boolean {
    return this.#used.has(token) && this.#defect !== 'tokensForEver';
  }

  use(token: string): void {
    this.#used.add(token);
  }

  /** The token for the next link. */
  renew({ callId, epoch }: SmallClaims): string {
    const token = randomBytes(12).toString('base64url');
    const expiresAtMs = Date.now() + 1000;
    this.#resume.set(token, { callId, epoch, token, expiresAtMs });
    this.#last.set(keyOf({ callId, epoch }), token);
    return token;
  }

  #mediaToken(token: string): SmallVerdict {
    const [header = '', payload = '', signature = ''] = token.split('.');
    const { key, workerId } = this.#key;
    const mac = createHmac('sha256', key).update(`${header}.${payload}`).digest();
    const given = Buffer.from(signature, 'base64url');
    const isSigned = given.length === mac.length && timingSafeEqual(given, mac);
    if (!isSigned && this.#defect !== 'acceptsAnySignature') return { code: 'malformed' };
    try {
      const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
      const { iss, aud, sub, epoch, exp } = claims as {
        readonly [claim: string]: string & number;
      };
      const isWhole = iss === 'earshot-signaling' && sub !== undefined && epoch !== undefined;
      if (!isWhole) return { code: 'malformed' };
      const isOurs = aud === workerId || this.#defect === 'acceptsTokensOfOthers';
      if (!isOurs) return { code: 'wrong_worker' };
      const isExpired = Number(exp) * 1000 < Date.now();
      if (isExpired && this.#defect !== 'acceptsExpiredTokens') return { code: 'expired' };
      return { callId: sub, epoch, token };
    } catch {
      return { code: 'malformed' };
    }
  }
}

function keyOf({ callId, epoch }: { readonly callId: string; readonly epoch: number }): string {
  return `${epoch} ${callId}`;
}
