import type { WelcomeMessage } from '@earshot/bridge-protocol';
import { FLAG, LIMITS, sequenceDistance } from '@earshot/bridge-protocol';
import type { FrameParts } from '../frame-bytes.js';
import { silentFrames } from '../frame-bytes.js';
import { NotApplicable, require } from '../outcome.js';
import type { WorkerLink } from './worker-link.js';
import type { WorkerRule } from './worker-test.js';

const NEAR_WRAP = 0xffff_fffe;

/** What a worker tells and keeps, on one link and over the links of one attachment. */
export const RESUME_RULES: readonly WorkerRule[] = [
  {
    id: 'R-4',
    title: 'received and durable never go back, and durable is never past received',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1, { firstSequence: NEAR_WRAP });
      let first = NEAR_WRAP;
      for (let round = 0; round < 3; round += 1) {
        link.sendFrames(silentFrames(1, first, 10));
        first = (first + 10) >>> 0;
        await link.received(1, first);
      }
      requireForward([link], 1);
    },
  },
  {
    id: 'R-4.links',
    title: 'durable does not go back over a break, and resume is not before it',
    async check(test) {
      const call = await test.ownCall();
      const { link } = await test.open(call);
      link.openStream(1);
      link.sendFrames(silentFrames(1, 0, 50));
      await link.received(1, 50);
      await link.take(() => link.position(1)?.durable === 50, test.quietMs);
      const durable = link.position(1)?.durable ?? 0;
      const { link: next, welcome } = await test.reopen(call, link);
      const start = resumeOf(welcome, 1);
      require(start >= durable, `resume of ${durable} or later`, start);
      next.openStream(1, { firstSequence: start });
      next.sendFrames([...replayed(1, start, 50 - start), ...silentFrames(1, 50, 10)]);
      await next.received(1, 60);
      requireForward([link, next], 1);
    },
  },
  {
    id: 'M-14',
    title: 'progress tells of a closed stream until it is durable to its end, and then no more',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1);
      link.openStream(2);
      link.sendFrames([...silentFrames(1, 0, 10), ...silentFrames(2, 0, 1)]);
      await link.received(1, 10);
      link.closeStream(1, 10);
      const isDurable = (): boolean => link.position(1)?.durable === 10;
      if (!isDurable()) await link.take(isDurable);
      require(isDurable(), 'durable 10 of stream 1', link.position(1) ?? 'no progress');
      // The other stream makes the worker tell of something.
      let sequence = 1;
      let isListed = true;
      for (let round = 0; isListed && round < 5; round += 1) {
        link.sendFrames(silentFrames(2, sequence, 1));
        sequence += 1;
        await link.received(2, sequence);
        const last = link.messages.findLast(({ type }) => type === 'progress');
        isListed = last?.type === 'progress' && last.streams.some(({ streamId }) => streamId === 1);
      }
      require(!isListed, 'stream 1 no more', 'stream 1 is told of still');
    },
  },
  {
    id: 'R-5',
    title: 'after a break welcome lists each stream once, with its received',
    async check(test) {
      const call = await test.ownCall();
      const { link } = await test.open(call);
      link.openStream(1);
      link.openStream(2, { firstSequence: 500 });
      link.sendFrames([...silentFrames(1, 0, 20), ...silentFrames(2, 500, 10)]);
      await link.received(1, 20);
      await link.received(2, 510);
      const { welcome } = await test.reopen(call, link);
      requireResume(welcome, { 1: 20, 2: 510 });
    },
  },
  {
    id: 'R-5.closed',
    title: 'after a break welcome lists closed streams too, also those durable to their end',
    async check(test) {
      const call = await test.ownCall();
      const { link } = await test.open(call);
      link.openStream(1);
      link.openStream(2);
      link.sendFrames([...silentFrames(1, 0, 20), ...silentFrames(2, 0, 10)]);
      await link.received(1, 20);
      await link.received(2, 10);
      link.closeStream(1, 20);
      await link.take(() => link.position(1)?.durable === 20, test.quietMs);
      const { welcome } = await test.reopen(call, link);
      requireResume(welcome, { 1: 20, 2: 10 });
    },
  },
  {
    id: 'R-5.most',
    title: `of more than ${LIMITS.maxListedStreams} streams the oldest closed ones are left out`,
    limitMs: 60_000,
    async check(test) {
      const call = await test.ownCall();
      const { link } = await test.open(call);
      const count = LIMITS.maxListedStreams + 2;
      for (let streamId = 1; streamId <= count; streamId += 1) {
        link.openStream(streamId);
        link.sendFrames(silentFrames(streamId, 0, 1));
        link.closeStream(streamId, 1);
        // No more than may be unread at once.
        if (streamId % 64 === 0) await link.settle();
      }
      await link.settle();
      await link.wire.break();
      const next = await test.dial(call);
      next.say(next.hello);
      // By hand: a longer list is no valid welcome.
      await next.take(({ type }) => type === 'welcome');
      const resume = resumeIn(next);
      const { length } = resume;
      require(length <= LIMITS.maxListedStreams, `${LIMITS.maxListedStreams} at most`, length);
      const listed = new Set(resume);
      const wanted = Array.from({ length: count - 2 }, (_, n) => n + 3);
      const missing = wanted.filter((streamId) => !listed.has(streamId));
      require(missing.length === 0, `streams 3 to ${count}`, `without ${missing.slice(0, 5)}`);
    },
  },
  {
    id: 'R-15',
    title: 'after a break a stream goes on where it was, and what was lost between is counted',
    async check(test) {
      const call = await test.ownCall();
      const { link } = await test.open(call);
      link.openStream(1);
      link.sendFrames(silentFrames(1, 0, 20));
      await link.received(1, 20);
      const { link: next, welcome } = await test.reopen(call, link);
      const firstSequence = resumeOf(welcome, 1);
      next.openStream(1, { firstSequence });
      next.sendFrames([...replayed(1, firstSequence, 20 - firstSequence)]);
      next.sendFrames(silentFrames(1, 20, 5));
      await next.received(1, 25);
      next.requireLost(1, 0);
    },
  },
  {
    id: 'R-9',
    title: 'frames before its own position are ignored after a break, slots after it are lost',
    async check(test) {
      const call = await test.ownCall();
      const { link } = await test.open(call);
      link.openStream(1);
      link.sendFrames(silentFrames(1, 0, 10));
      await link.received(1, 10);
      const { link: next } = await test.reopen(call, link);
      next.openStream(1, { firstSequence: 0 });
      next.sendFrames(replayed(1, 0, 10));
      next.sendFrames(silentFrames(1, 15, 5));
      await next.received(1, 20);
      next.requireLost(1, 5);
    },
  },
  {
    id: 'R-17',
    title: 'lost counts slots told by streamClose',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1);
      link.sendFrames(silentFrames(1, 0, 10));
      await link.received(1, 10);
      link.closeStream(1, 14);
      await requireCounted(link, 4);
    },
  },
  {
    id: 'R-17.jump',
    title: 'lost counts slots passed by a jump, and no duplicates',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1);
      link.sendFrames([...silentFrames(1, 0, 10), ...silentFrames(1, 15, 5)]);
      link.sendFrames(silentFrames(1, 12, 8));
      link.sendFrames(silentFrames(1, 20, 1));
      await link.received(1, 21);
      await requireCounted(link, 5);
    },
  },
  {
    id: 'R-17.discarded',
    title: 'lost counts slots told by discarded, once, though streamClose tells of them too',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1);
      link.sendFrames(silentFrames(1, 0, 10));
      discard(link, 10, 6);
      link.closeStream(1, 16);
      await requireCounted(link, 6);
    },
  },
  {
    id: 'R-17.links',
    title: 'lost goes on counting over a break',
    async check(test) {
      const call = await test.ownCall();
      const { link } = await test.open(call);
      link.openStream(1);
      link.sendFrames([...silentFrames(1, 0, 5), ...silentFrames(1, 8, 2)]);
      await link.received(1, 10);
      await requireCounted(link, 3);
      const { link: next, welcome } = await test.reopen(call, link);
      next.openStream(1, { firstSequence: resumeOf(welcome, 1) });
      discard(next, 10, 4);
      next.sendFrames(silentFrames(1, 14, 1));
      await next.received(1, 15);
      await requireCounted(next, 7);
    },
  },
];

/** The ids of the streams that a welcome lists, valid or not. */
function resumeIn({ wire }: WorkerLink): unknown[] {
  for (const item of wire.seen) {
    if (item.kind !== 'text' || !item.text.includes('"welcome"')) continue;
    const { resume } = JSON.parse(item.text) as { readonly resume?: readonly Listed[] };
    return (resume ?? []).map(({ streamId }) => streamId);
  }
  throw new NotApplicable('the worker gave no welcome', 'O-4');
}

interface Listed {
  readonly streamId?: unknown;
}

/** Where the worker wants a stream to go on. @throws NotApplicable when it doesn't say. */
export function resumeOf({ resume }: WelcomeMessage, streamId: number, blockedBy = 'R-5'): number {
  const listed = resume.find((position) => position.streamId === streamId);
  if (listed !== undefined) return listed.durableSequence;
  throw new NotApplicable(`resume does not list stream ${streamId}`, blockedBy);
}

/** Frames that an earlier link carried. */
export function replayed(streamId: number, sequence: number, count: number): FrameParts[] {
  return silentFrames(streamId, sequence, count).map((frame) => ({
    ...frame,
    flags: FLAG.replayed,
  }));
}

function discard(link: WorkerLink, firstSequence: number, frames: number): void {
  link.say({ type: 'discarded', streamId: 1, firstSequence, frames, reason: 'overflow' });
}

/** @throws Mismatch when `lost` of stream 1 is not so many in the end, or not told. */
async function requireCounted(link: WorkerLink, lost: number): Promise<void> {
  const isLost = (): boolean => link.position(1)?.lost === lost;
  if (!isLost()) await link.take(isLost);
  link.requireProgress();
  const position = link.position(1);
  if (position !== undefined && position.lost === undefined && lost > 0) {
    const counts = link.messages.some(
      (message) => message.type === 'progress' && message.streams.some((s) => s.lost !== undefined),
    );
    if (!counts) throw new NotApplicable('no lost in progress');
  }
  require(isLost(), `lost ${lost} of stream 1`, position ?? 'no progress');
}

function requireResume(
  { resume }: WelcomeMessage,
  expected: Readonly<Record<number, number>>,
): void {
  const told = resume
    .toSorted((a, b) => a.streamId - b.streamId)
    .map(({ streamId, durableSequence }) => `${streamId}: ${durableSequence}`);
  const wanted = Object.entries(expected).map(([id, sequence]) => `${id}: ${sequence}`);
  require(told.join() === wanted.join(), `resume of ${wanted.join(', ')}`, told.join(', '));
}

/** @throws Mismatch when what the links told of a stream, in order, went back. */
function requireForward(links: readonly WorkerLink[], streamId: number): void {
  let durable: number | undefined;
  for (const link of links) {
    let received: number | undefined;
    for (const message of link.messages) {
      if (message.type !== 'progress') continue;
      const now = message.streams.find((stream) => stream.streamId === streamId);
      if (now === undefined) continue;
      const isBehind = sequenceDistance(now.durable, now.received) >= 0;
      require(isBehind, 'durable not past received', now);
      const goesOn = received === undefined || sequenceDistance(received, now.received) >= 0;
      require(goesOn, 'received not to go back', now);
      const isKept = durable === undefined || sequenceDistance(durable, now.durable) >= 0;
      require(isKept, 'durable not to go back', now);
      ({ received, durable } = now);
    }
  }
}
