import { silentFrames } from '../frame-bytes.js';
import type { WorkerRule } from './worker-test.js';

const NEAR_WRAP = 0xffff_fffe;

/** Sequence and loss. */
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
];
