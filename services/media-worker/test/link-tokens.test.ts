import { VirtualClock } from '@earshot/async';
import type { MediaLinkHandlers, MediaLinkRefusal, MediaLinkSession } from '@earshot/bridge';
import type { HelloMessage } from '@earshot/bridge-protocol';
import { MediaTokens } from '@earshot/media-token';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { LinkClaims } from '../src/link-tokens.js';
import { LinkTokens } from '../src/link-tokens.js';

const KEY = new Uint8Array(32).fill(7);
const workerId = 'w_1';
const ATTACHMENT = { callId: 'c_1', epoch: 3 };

let clock: VirtualClock;
let minter: MediaTokens;
let links: LinkTokens;
beforeEach(() => {
  clock = new VirtualClock();
  minter = new MediaTokens({ key: KEY, clock });
  links = new LinkTokens({ tokens: minter, workerId, clock });
});

function mint(attachment = ATTACHMENT): Promise<string> {
  return minter.mint({ ...attachment, workerId });
}

async function claimsOf(token: string): Promise<LinkClaims> {
  const claims = await links.authorize(token);
  if ('error' in claims) throw new Error(`refused: ${claims.error}`);
  return claims;
}

/** A session that says how it was closed. */
class Session implements MediaLinkSession {
  readonly callId = 'c_1';
  readonly epoch = 3;
  readonly hello: HelloMessage = {
    type: 'hello',
    version: 1,
    callId: 'c_1',
    mediaId: 'm_1',
    epoch: 3,
    mediaEpochTicks: '0',
    clockNowTicks: '0',
    replayWindowMs: 0,
  };
  readonly wayBack = undefined;
  readonly bufferedBytes = 0;
  closedAs: string | undefined;
  send(): void {}
  sendFrames(): boolean {
    return false;
  }
  close(code: number, reason: string): void {
    this.closedAs ??= `${code} ${reason}`;
  }
}

const HANDLERS: MediaLinkHandlers = {
  open: () => ({ resume: [{ streamId: 1, durableSequence: 42 }] }),
  frames() {},
  message() {},
  closed() {},
};

async function accept(claims: LinkClaims): Promise<MediaLinkHandlers | MediaLinkRefusal> {
  return await links.accept(claims, async () => HANDLERS);
}

/** What became of a link: the resume token that its welcome brings, or how it was refused. */
async function open(claims: LinkClaims): Promise<{ next?: string; refused?: string }> {
  const accepted = await accept(claims);
  if ('closeCode' in accepted) return { refused: `${accepted.closeCode} ${accepted.code}` };
  return welcome(accepted);
}

function welcome(handlers: MediaLinkHandlers): { next?: string; refused?: string } {
  const session = new Session();
  const { resumeToken } = handlers.open(session);
  if (session.closedAs !== undefined) return { refused: session.closedAs };
  return { next: resumeToken ?? '' };
}

async function nextOf(token: string): Promise<string> {
  const { next, refused } = await open(await claimsOf(token));
  if (next === undefined) throw new Error(`refused: ${refused}`);
  return next;
}

describe('a token', () => {
  it('opens one link, which says from where to send and brings the next token', async () => {
    const token = await mint();
    const accepted = await accept(await claimsOf(token));
    if ('closeCode' in accepted) throw new Error(accepted.code);
    expect(accepted.open(new Session())).toEqual({
      resume: [{ streamId: 1, durableSequence: 42 }],
      resumeToken: expect.stringMatching(/^[\x21-\x7e]{1,8192}$/),
    });
    expect(await links.authorize(token)).toEqual({ error: 'replayed' });
  });

  it('is not used up by a link that is not welcomed', async () => {
    const token = await mint();
    await accept(await claimsOf(token));
    const refusal = { closeCode: 4429, code: 'worker_busy', message: 'Full' };
    expect(await links.accept(await claimsOf(token), async () => refusal)).toBe(refusal);
    expect(await nextOf(token)).not.toBe('');
  });

  it('that two links bring at once opens one of them; the other is closed with 4401', async () => {
    const token = await mint();
    const [one, two] = [await claimsOf(token), await claimsOf(token)];
    const [first, second] = [await accept(one), await accept(two)];
    if ('closeCode' in first || 'closeCode' in second) throw new Error('refused too early');
    expect(welcome(second)).toHaveProperty('next');
    expect(welcome(first)).toEqual({ refused: '4401 replayed' });
    // One whose hello comes later need not wait for that.
    expect(await open(one)).toEqual({ refused: '4401 replayed' });
  });

  it('is used up by no link whose opening failed', async () => {
    const token = await mint();
    const failing = await links.accept(await claimsOf(token), async () => ({
      ...HANDLERS,
      open: () => {
        throw new Error('a bug');
      },
    }));
    if ('closeCode' in failing) throw new Error(failing.code);
    expect(() => failing.open(new Session())).toThrow('a bug');
    expect(await nextOf(token)).not.toBe('');
  });

  it('is remembered until it expires, and then refused as expired', async () => {
    const token = await mint();
    await nextOf(token);
    clock.advance(59_000);
    expect(await links.authorize(token)).toEqual({ error: 'replayed' });
    clock.advance(1000);
    expect(await links.authorize(token)).toEqual({ error: 'expired' });
  });

  it('is refused as busy where no more can be remembered, until others expire', async () => {
    links = new LinkTokens({ tokens: minter, workerId, clock, maxUsed: 2 });
    const late = await mint();
    await nextOf(await mint());
    clock.advance(10_000);
    await nextOf(await mint());
    expect(await open(await claimsOf(late))).toEqual({ refused: '4429 worker_busy' });
    // A link that was upgraded with the first one before it expired may still say hello.
    clock.advance(79_000);
    expect(await open(await claimsOf(await mint()))).toEqual({ refused: '4429 worker_busy' });
    clock.advance(1000);
    const fresh = await mint();
    expect(await open(await claimsOf(fresh))).toHaveProperty('next');
    expect(await links.authorize(fresh)).toEqual({ error: 'replayed' });
  });
});

describe('a resume token', () => {
  it('opens the next link, however long the last one lived', async () => {
    let token = await mint();
    for (let link = 0; link < 5; link += 1) {
      token = await nextOf(token);
      clock.advance(3 * 3_600_000);
    }
  });

  it('is good only where it is that of the last welcome', async () => {
    const first = await nextOf(await mint());
    const second = await nextOf(first);
    expect(await links.authorize(first)).toEqual({ error: 'replayed' });
    // A fresh attach of the same epoch comes with a token of its own.
    const third = await nextOf(await mint());
    expect(await links.authorize(second)).toEqual({ error: 'replayed' });
    expect(await nextOf(third)).not.toBe('');
  });

  it('has expired once its attachment is over, also between the upgrade and the hello', async () => {
    const token = await nextOf(await mint());
    const claims = await claimsOf(token);
    links.forget(ATTACHMENT);
    expect(await links.authorize(token)).toEqual({ error: 'expired' });
    expect(await open(claims)).toEqual({ refused: '4409 attachment_over' });
  });

  it('of one attachment is nothing to another', async () => {
    const token = await nextOf(await mint());
    await nextOf(await mint({ callId: 'c_1', epoch: 4 }));
    links.forget({ callId: 'c_1', epoch: 4 });
    expect(await nextOf(token)).not.toBe('');
  });

  it('of a worker that was started anew has expired', async () => {
    const token = await nextOf(await mint());
    links = new LinkTokens({ tokens: minter, workerId, clock });
    expect(await links.authorize(token)).toEqual({ error: 'expired' });
  });
});

describe('whatever is tried in whatever order', () => {
  it('each token opens one link at most, and only the newest resume token any', async () => {
    const step = fc.record({
      kind: fc.constantFrom('mint', 'open', 'forget'),
      pick: fc.nat({ max: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        links = new LinkTokens({ tokens: minter, workerId, clock });
        const known: { token: string; isResume: boolean }[] = [];
        const opened = new Set<string>();
        let newest: string | undefined;
        for (const { kind, pick } of steps) {
          if (kind === 'mint') known.push({ token: await mint(), isResume: false });
          if (kind === 'forget') {
            links.forget(ATTACHMENT);
            newest = undefined;
          }
          const one = known[pick % Math.max(1, known.length)];
          if (kind !== 'open' || one === undefined) continue;
          const isGood = one.isResume ? one.token === newest : !opened.has(one.token);
          const claims = await links.authorize(one.token);
          expect(!('error' in claims)).toBe(isGood);
          if ('error' in claims) continue;
          const { next } = await open(claims);
          opened.add(one.token);
          newest = next;
          known.push({ token: next ?? '', isResume: true });
        }
      }),
      { numRuns: 60 },
    );
  });
});
