import { silentFrames } from '../frame-bytes.js';
import { NotApplicable, require } from '../outcome.js';
import type { WorkerLink } from './worker-link.js';
import type { WorkerRule } from './worker-test.js';

/** More than this is not sent of one stream, whatever the credit. */
const MAX_FRAMES = 8000;
/** So many fit into one message. */
const FRAMES_PER_MESSAGE = 500;
const ROUNDS = 5;
/** How long progress may take that is due within a second (C-3). */
const PROGRESS_MS = 1000;

/** Credit and progress. */
export const CREDIT_RULES: readonly WorkerRule[] = [
  {
    id: 'C-3',
    title: 'progress is told within a second of frames, and its streams are those that were opened',
    async check(test) {
      const { link } = await test.open();
      link.openStream(3);
      link.sendFrames(silentFrames(3, 0, 5));
      const isAbout3 = (): boolean => link.position(3)?.received === 5;
      // A second by the rule, and the way there and back.
      await link.take(isAbout3, PROGRESS_MS + test.replyMs);
      link.requireOpen();
      require(isAbout3(), 'received 5 of stream 3', link.position(3) ?? 'no progress');
    },
  },
  {
    id: 'C-3.quarter',
    title: 'progress is told at once when a quarter of a credit was used up',
    async check(test) {
      const { link, welcome } = await test.open();
      link.openStream(1);
      const quarter = Math.min(Math.ceil(welcome.creditFrames / 4), MAX_FRAMES / ROUNDS);
      const startMs = test.clock.nowMs();
      for (let round = 1; round <= ROUNDS; round += 1) {
        sendMany(link, 1, quarter * (round - 1), quarter);
        await link.received(1, quarter * round);
      }
      // One that tells every second only would take about as many seconds.
      const tookMs = Math.round(test.clock.nowMs() - startMs);
      const mostMs = (ROUNDS * PROGRESS_MS) / 2;
      require(tookMs < mostMs, `${ROUNDS} progresses in ${mostMs} ms`, `in ${tookMs} ms`);
    },
  },
  {
    id: 'C-2',
    title: 'a worker that is idle grants credit, and takes as many frames at once',
    async check(test) {
      const { link, welcome } = await test.open();
      require(welcome.creditFrames > 0, 'creditFrames above 0', welcome.creditFrames);
      link.openStream(1);
      const count = Math.min(welcome.creditFrames, MAX_FRAMES);
      sendMany(link, 1, 0, count);
      await link.received(1, count);
      requireNoneGone(link, 1);
    },
  },
  {
    id: 'C-2.each',
    title: 'the credit is that of each stream: all of them may be used up at once',
    async check(test) {
      const { link, welcome } = await test.open();
      const count = Math.min(welcome.creditFrames, MAX_FRAMES / 4);
      const streams = [1, 2, 3];
      for (const streamId of streams) link.openStream(streamId);
      for (const streamId of streams) sendMany(link, streamId, 0, count);
      for (const streamId of streams) {
        await link.received(streamId, count);
        requireNoneGone(link, streamId);
      }
    },
  },
  {
    id: 'C-4',
    title: 'frames beyond the credit close nothing',
    async check(test) {
      const { link, welcome } = await test.open();
      link.openStream(1);
      const count = Math.min(welcome.creditFrames * 2, MAX_FRAMES);
      sendMany(link, 1, 0, count);
      await link.received(1, count);
    },
  },
  {
    id: 'R-17.dropped',
    title: 'frames beyond the credit that came are dropped at most, and not lost',
    async check(test) {
      const { link, welcome } = await test.open();
      link.openStream(1);
      const count = Math.min(welcome.creditFrames * 2, MAX_FRAMES);
      sendMany(link, 1, 0, count);
      await link.received(1, count);
      link.requireLost(1, 0);
      const dropped = link.position(1)?.dropped;
      if (dropped === undefined) throw new NotApplicable('no dropped in progress');
      const most = Math.max(0, count - welcome.creditFrames);
      require(dropped <= most, `dropped ${most} at most`, dropped);
    },
  },
];

function sendMany(link: WorkerLink, streamId: number, from: number, count: number): void {
  for (let sent = 0; sent < count; sent += FRAMES_PER_MESSAGE) {
    link.sendFrames(
      silentFrames(streamId, from + sent, Math.min(FRAMES_PER_MESSAGE, count - sent)),
    );
  }
}

/** @throws Mismatch when frames within the credit were lost or dropped. */
function requireNoneGone(link: WorkerLink, streamId: number): void {
  link.requireLost(streamId, 0);
  const dropped = link.position(streamId)?.dropped ?? 0;
  require(dropped === 0, `none of stream ${streamId} dropped`, dropped);
}
