import { CLOSE } from '@earshot/bridge-protocol';
import { silentFrames } from '../frame-bytes.js';
import { NotApplicable, require } from '../outcome.js';
import type { PlacedCall } from './call-source.js';
import { replayed, resumeOf } from './resume-rules.js';
import type { OpenLink, WorkerRule, WorkerTest } from './worker-test.js';

/** Of the stream that goes on: enough that some of it is durable. */
const FRAMES = 150;
/** Of the stream that ends before the move. */
const CLOSED_FRAMES = 40;
/** Durable may take its time: findings are published first, and the position stored. */
const DURABLE_MS = 5000;

/** What goes on with a higher epoch: on the second worker where the run has one. */
export const MOVE_RULES: readonly WorkerRule[] = [
  {
    id: 'M-17',
    title: 'a link of a higher epoch ends that of the lower: close 4409',
    async check(test) {
      const { link: old } = await test.open(await test.ownCall());
      const { link } = await test.open(await test.placeAnew());
      await old.closes([CLOSE.conflict]);
      await link.settle();
    },
  },
  {
    id: 'R-5.moved',
    title: 'with a higher epoch welcome lists each stream, from its durable position on',
    async check(test) {
      const { durable, received, welcome } = await moved(test);
      for (const streamId of [1, 2]) {
        const least = durable.get(streamId) ?? 0;
        const listed = welcome.resume.filter((position) => position.streamId === streamId);
        // Of a stream of which nothing was durable there need be no position.
        if (least === 0 && listed.length === 0) continue;
        require(listed.length === 1, `stream ${streamId} once`, listed);
        const sequence = listed[0]!.durableSequence;
        const most = received.get(streamId) ?? 0;
        const isBetween = sequence >= least && sequence <= most;
        require(isBetween, `stream ${streamId} from ${least} to ${most}`, sequence);
      }
    },
  },
  {
    id: 'R-9.moved',
    title: 'with a higher epoch frames before its position are ignored, slots after it are lost',
    async check(test) {
      const { link, welcome } = await moved(test);
      const start = resumeOf(welcome, 1, 'R-5.moved');
      link.openStream(1, { firstSequence: 0 });
      const again = Math.min(start, 10);
      link.sendFrames(replayed(1, start - again, again));
      link.sendFrames(replayed(1, start + 4, 6));
      await link.received(1, start + 10);
      link.requireLost(1, 4);
    },
  },
  {
    id: 'R-4.moved',
    title: 'with a higher epoch durable does not go back',
    async check(test) {
      const { link, welcome, durable } = await moved(test);
      const start = resumeOf(welcome, 1, 'R-5.moved');
      link.openStream(1, { firstSequence: start });
      link.sendFrames(replayed(1, start, FRAMES - start));
      link.sendFrames(silentFrames(1, FRAMES, 50));
      await link.received(1, FRAMES + 50);
      const least = durable.get(1) ?? 0;
      for (const message of link.messages) {
        if (message.type !== 'progress') continue;
        const told = message.streams.find(({ streamId }) => streamId === 1)?.durable;
        require(told === undefined || told >= least, `durable ${least} or later`, told);
      }
      link.requireLost(1, 0);
    },
  },
];

interface Moved extends OpenLink {
  /** As the first worker told them last, by stream. */
  readonly durable: ReadonlyMap<number, number>;
  readonly received: ReadonlyMap<number, number>;
}

/** Two streams of which one has ended, taken over by a link of a higher epoch. */
async function moved(test: WorkerTest): Promise<Moved> {
  const call = await test.ownCall();
  const { durable, received } = await played(test, call);
  if ([...durable.values()].every((sequence) => sequence === 0)) {
    throw new NotApplicable('the worker told nothing durable');
  }
  const open = await test.open(await test.placeElsewhere());
  return { ...open, durable, received };
}

async function played(
  test: WorkerTest,
  call: PlacedCall,
): Promise<{ durable: Map<number, number>; received: Map<number, number> }> {
  const { link, welcome } = await test.open(call);
  if (welcome.creditFrames < FRAMES) throw new NotApplicable('the worker grants too little credit');
  link.openStream(1);
  link.openStream(2);
  link.sendFrames(silentFrames(1, 0, FRAMES));
  link.sendFrames(silentFrames(2, 0, CLOSED_FRAMES));
  await link.received(1, FRAMES);
  await link.received(2, CLOSED_FRAMES);
  link.closeStream(2, CLOSED_FRAMES);
  const isDurable = (): boolean =>
    (link.position(1)?.durable ?? 0) > 0 && link.position(2)?.durable === CLOSED_FRAMES;
  if (!isDurable()) await link.take(isDurable, DURABLE_MS);
  const positions = [1, 2].map((streamId) => [streamId, link.position(streamId)] as const);
  return {
    durable: new Map(positions.map(([streamId, position]) => [streamId, position?.durable ?? 0])),
    received: new Map([
      [1, FRAMES],
      [2, CLOSED_FRAMES],
    ]),
  };
}
