import { CLOSE } from '@earshot/bridge-protocol';
import { Mismatch, NotApplicable, require } from '../outcome.js';
import type { PlacedCall } from './call-source.js';
import { requireRefusal } from './upgrade-rules.js';
import type { WorkerLink } from './worker-link.js';
import type { WorkerRule, WorkerTest } from './worker-test.js';

/** Expiry counts whole seconds: the token lives for a second at least, and not past the wait. */
const SHORT_LIFE_MS = 2000;
const PAST_EXPIRY_MS = 2300;

/** How often tokens open links, and how many connections may wait. */
export const TOKEN_RULES: readonly WorkerRule[] = [
  {
    id: 'U-12.expiry',
    title: "a link stays open past its token's expiry",
    async check(test) {
      const token = await test.forge({ ttlMs: SHORT_LIFE_MS });
      const { link } = await test.open(await test.call(), {}, { token });
      await link.take(() => false, PAST_EXPIRY_MS);
      await link.settle();
    },
  },
  {
    id: 'U-12.replayed',
    title: 'a token that opened a link opens no other: 401 replayed',
    async check(test) {
      const { call, link } = await renewed(test);
      requireRefusal(await upgradeWith(test, call.token), 401, 'replayed');
      await link.settle();
      await link.wire.break();
      requireRefusal(await upgradeWith(test, call.token), 401, 'replayed');
    },
  },
  {
    id: 'U-12.at-once',
    title: 'two links that come with one token at once: the second hello is closed 4401 replayed',
    async check(test) {
      const call = await test.ownCall();
      const { token } = call;
      const first = await test.dial(call, { token });
      const second = await test.dial(call, { token });
      await first.open();
      requireRenewed(first);
      second.say(second.hello);
      await second.closes([CLOSE.unauthorized], { reason: 'replayed' });
      await first.settle();
    },
  },
  {
    id: 'U-12.unused',
    title: 'a token whose link ended before welcome is not used up',
    async check(test) {
      const call = await test.ownCall();
      const link = await test.dial(call, { token: call.token });
      await link.wire.break();
      await opened(test, call, call.token);
    },
  },
  {
    id: 'U-14',
    title: 'the resumeToken of a welcome opens the next link',
    async check(test) {
      const { call, link, resumeToken } = await renewed(test);
      await link.wire.break();
      const { link: next } = await opened(test, call, resumeToken);
      await next.settle();
    },
  },
  {
    id: 'U-14.used',
    title: 'a resumeToken opens one link: 401 replayed',
    async check(test) {
      const { call, link, resumeToken } = await renewed(test);
      await link.wire.break();
      const { link: next } = await opened(test, call, resumeToken);
      requireRenewed(next);
      await next.wire.break();
      requireRefusal(await upgradeWith(test, resumeToken), 401, 'replayed');
    },
  },
  {
    id: 'U-14.last',
    title: 'only the resumeToken of the last welcome is good: an unused older one gets 401',
    async check(test) {
      const { call, resumeToken } = await renewed(test);
      // As an attach of the same epoch brings it (H-10).
      const { link: next } = await opened(test, call, await test.forge());
      requireRenewed(next);
      const { status } = await upgradeWith(test, resumeToken);
      require(status === 401, 'status 401', `status ${status}`);
      await next.settle();
    },
  },
  {
    id: 'U-14.epoch',
    title: 'a resumeToken is good for its call and epoch only: close 4401',
    async check(test) {
      const { call, link, resumeToken } = await renewed(test);
      await link.wire.break();
      const { epoch } = call;
      const next = await test.dial(call, { token: resumeToken });
      next.say({ ...next.hello, epoch: epoch + 1 });
      await next.closes([CLOSE.unauthorized], { reason: 'wrong_epoch' });
    },
  },
  {
    id: 'U-14.late',
    title: 'a resumeToken is good past the expiry of the media token',
    async check(test) {
      const call = await test.ownCall();
      const { link } = await test.open(
        call,
        {},
        { token: await test.forge({ ttlMs: SHORT_LIFE_MS }) },
      );
      const resumeToken = requireRenewed(link);
      await link.take(() => false, PAST_EXPIRY_MS);
      await link.wire.break();
      await opened(test, call, resumeToken);
    },
  },
  {
    id: 'U-14.absent',
    title: 'where welcome has no resumeToken, a token is good for more links while it lives',
    async check(test) {
      const call = await test.ownCall();
      const { link } = await test.open(call, {}, { token: call.token });
      if (link.resumeToken !== undefined) throw new NotApplicable('the worker gives a resumeToken');
      await link.wire.break();
      await test.open(call, {}, { token: call.token });
    },
  },
  {
    id: 'U-15',
    title: 'connections of one address beyond those that may wait for welcome: 429',
    isLast: true,
    limitMs: 30_000,
    async check(test) {
      const { pendingLimit } = test;
      const call = await test.ownCall();
      // One that is welcomed is not counted, and those of other rules have gone by then.
      const { link } = await test.open(call);
      await link.take(() => false, test.quietMs);
      // At once: a slow one would be closed before the last has come.
      const waiting = await Promise.all(
        Array.from({ length: pendingLimit }, () => test.dial(call)),
      );
      const answer = await test.upgrade();
      requireRefusal(answer, 429, 'too_many_connections');
      const retryAfter = answer.headers['retry-after'];
      require(retryAfter !== undefined, 'Retry-After', 'none');
      await Promise.all(waiting.map(({ wire }) => wire.close(CLOSE.normal, '')));
      await link.settle();
      await test.open(call);
    },
  },
];

/** A call whose first link is open and gave a token for the next. */
async function renewed(
  test: WorkerTest,
): Promise<{ call: PlacedCall; link: WorkerLink; resumeToken: string }> {
  const call = await test.ownCall();
  const { link } = await test.open(call);
  return { call, link, resumeToken: requireRenewed(link) };
}

function requireRenewed({ resumeToken }: WorkerLink): string {
  if (resumeToken !== undefined) return resumeToken;
  throw new NotApplicable('the worker gives no resumeToken');
}

/** A link opened with the token that is being checked. @throws Mismatch when it is refused. */
async function opened(
  test: WorkerTest,
  call: PlacedCall,
  token: string,
): Promise<{ link: WorkerLink }> {
  const link = await test.dial(call, { token }).catch((error: unknown) => {
    throw error instanceof NotApplicable ? new Mismatch('a link', error.message) : error;
  });
  await link.opens({});
  return { link };
}

function upgradeWith(test: WorkerTest, token: string): ReturnType<WorkerTest['upgrade']> {
  return test.upgrade({ authorization: `Bearer ${token}` });
}
