import { silentFrames } from '../frame-bytes.js';
import { require } from '../outcome.js';
import type { WorkerRule } from './worker-test.js';

const NEAR_WRAP = 0xffff_fffe;

/** Sequence, loss, progress and credit. */
export const SEQUENCE_RULES: readonly WorkerRule[] = [
  {
    id: 'Q-2',
    title: 'a jump in sequence is a loss: received passes it',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1);
      link.sendFrames([...silentFrames(1, 0, 3), ...silentFrames(1, 8, 2)]);
      await link.received(1, 10);
      link.requireLost(1, 5);
    },
  },
  {
    id: 'Q-5',
    title: 'a jump in captureTicks alone is no loss',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1);
      const [first, second] = silentFrames(1, 0, 2);
      if (first === undefined || second?.captureTicks === undefined) return;
      const late = { ...second, captureTicks: second.captureTicks + 50_000_000n, flags: 4 };
      link.sendFrames([first, late]);
      await link.received(1, 2);
      link.requireLost(1, 0);
    },
  },
  {
    id: 'Q-7.duplicate',
    title: 'a frame that came already is ignored',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1);
      link.sendFrames(silentFrames(1, 0, 5));
      link.sendFrames(silentFrames(1, 0, 5));
      link.sendFrames(silentFrames(1, 5, 1));
      await link.received(1, 6);
      link.requireLost(1, 0);
    },
  },
  {
    id: 'Q-7.late',
    title: 'a frame of a sequence that was passed is ignored',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1);
      link.sendFrames([...silentFrames(1, 0, 1), ...silentFrames(1, 5, 1)]);
      await link.received(1, 6);
      link.sendFrames(silentFrames(1, 3, 1));
      link.sendFrames(silentFrames(1, 6, 1));
      await link.received(1, 7);
    },
  },
  {
    id: 'Q-2.wrap',
    title: 'sequence goes from 2^32 - 1 to 0 without a loss',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1, { firstSequence: NEAR_WRAP });
      link.sendFrames(silentFrames(1, NEAR_WRAP, 4));
      await link.received(1, 2);
      link.requireLost(1, 0);
    },
  },
  {
    id: 'Q-7.wrap',
    title: 'a frame from before the wrap is late after it',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1, { firstSequence: NEAR_WRAP });
      link.sendFrames(silentFrames(1, NEAR_WRAP, 4));
      link.sendFrames(silentFrames(1, NEAR_WRAP, 1));
      link.sendFrames(silentFrames(1, 2, 1));
      await link.received(1, 3);
    },
  },
  {
    id: 'Q-8',
    title: 'slots between firstSequence and the first frame are lost',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1, { firstSequence: 100 });
      link.sendFrames(silentFrames(1, 104, 2));
      await link.received(1, 106);
      link.requireLost(1, 4);
    },
  },
  {
    id: 'M-12',
    title: 'a slot told by discarded and passed by a jump is lost once',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1);
      link.sendFrames(silentFrames(1, 0, 2));
      const reason = 'overflow';
      link.say({ type: 'discarded', streamId: 1, firstSequence: 2, frames: 6, reason });
      link.sendFrames(silentFrames(1, 8, 2));
      await link.received(1, 10);
      link.requireLost(1, 6);
    },
  },
  {
    id: 'C-3',
    title: 'progress is told within a second of frames, and its streams are those that were opened',
    async check(test) {
      const { link } = await test.open();
      link.openStream(3);
      link.sendFrames(silentFrames(3, 0, 5));
      const isAbout3 = (): boolean => link.position(3)?.received === 5;
      // A second by the rule, and the way there and back.
      await link.take(isAbout3, 1000 + test.replyMs);
      link.requireOpen();
      require(isAbout3(), 'received 5 of stream 3', link.position(3) ?? 'no progress');
    },
  },
  {
    id: 'C-2',
    title: 'a worker that is idle grants credit, and takes as many frames at once',
    async check(test) {
      const { link, welcome } = await test.open();
      require(welcome.creditFrames > 0, 'creditFrames above 0', welcome.creditFrames);
      link.openStream(1);
      const count = Math.min(welcome.creditFrames, 1024);
      link.sendFrames(silentFrames(1, 0, count));
      await link.received(1, count);
      link.requireLost(1, 0);
    },
  },
  {
    id: 'C-3.quarter',
    title: 'progress is told whenever a quarter of the credit was used up',
    async check(test) {
      const { link, welcome } = await test.open();
      link.openStream(1);
      const count = Math.min(Math.ceil(welcome.creditFrames / 2), 1024);
      for (let sequence = 0; sequence < count; sequence += 1) {
        link.sendFrames(silentFrames(1, sequence, 1));
      }
      await link.received(1, count);
    },
  },
  {
    id: 'C-4',
    title: 'frames beyond the credit close nothing',
    async check(test) {
      const { link, welcome } = await test.open();
      link.openStream(1);
      const count = Math.min(welcome.creditFrames * 2, 8000);
      for (let sequence = 0; sequence < count; sequence += 500) {
        link.sendFrames(silentFrames(1, sequence, Math.min(500, count - sequence)));
      }
      await link.received(1, count);
    },
  },
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
      let before: { readonly received: number; readonly durable: number } | undefined;
      for (const message of link.messages) {
        if (message.type !== 'progress') continue;
        const now = message.streams.find(({ streamId }) => streamId === 1);
        if (now === undefined) continue;
        require(steps(now.durable, now.received) >= 0, 'durable before received', now);
        if (before !== undefined) {
          require(steps(before.received, now.received) >= 0, 'received not to go back', now);
          require(steps(before.durable, now.durable) >= 0, 'durable not to go back', now);
        }
        before = now;
      }
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
];

function steps(from: number, to: number): number {
  return (to - from) | 0;
}
