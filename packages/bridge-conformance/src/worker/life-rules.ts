import { every } from '@earshot/async';
import { CLOSE, LIMITS } from '@earshot/bridge-protocol';
import { silentFrames } from '../frame-bytes.js';
import { Mismatch, NotApplicable, require } from '../outcome.js';
import type { WorkerLink } from './worker-link.js';
import type { WorkerRule } from './worker-test.js';

/** A silence longer than this is not waited for. */
const MAX_SILENCE_MS = 20_000;
/** Beats of the two sides don't fall together. */
const LATE_MS = 2000;
const EARLY_MS = 100;

/** Liveness and the end of links. */
export const LIFE_RULES: readonly WorkerRule[] = [
  {
    id: 'P-2',
    title: 'a ping is answered by a pong of its id',
    async check(test) {
      const { link } = await test.open();
      for (const id of [0, 7, 0xffff_ffff]) await requirePong(link, id, '1');
    },
  },
  {
    id: 'T-8',
    title: "a pong has the ping's ticks, to the digit",
    async check(test) {
      const { link } = await test.open();
      await requirePong(link, 1, '18446744073709551615');
    },
  },
  {
    id: 'P-5',
    title: 'a host that is silent for two intervals: close 4408 peer_silent, not earlier',
    limitMs: MAX_SILENCE_MS + 10_000,
    async check(test) {
      const { link, welcome } = await test.open();
      await requireSilenceNoticed(link, welcome.pingIntervalMs, test.clock.nowMs());
    },
  },
  {
    id: 'P-4.socket-ping',
    title: 'pings of the WebSocket layer are no sign of life',
    limitMs: MAX_SILENCE_MS + 10_000,
    async check(test) {
      const { link, welcome } = await test.open();
      const stop = every(test.clock, welcome.pingIntervalMs / 2, () => link.wire.pingFrame());
      try {
        await requireSilenceNoticed(link, welcome.pingIntervalMs, test.clock.nowMs());
      } finally {
        stop();
      }
    },
  },
  {
    id: 'P-4.frames',
    title: 'frames are a sign of life, pings are not needed',
    limitMs: MAX_SILENCE_MS + 10_000,
    async check(test) {
      const { link, welcome } = await test.open();
      const waitMs = welcome.pingIntervalMs * 3.5;
      requirePatience(waitMs);
      link.beSilent();
      link.openStream(1);
      let sequence = 0;
      const stop = every(test.clock, welcome.pingIntervalMs / 2, () => {
        link.sendFrames(silentFrames(1, sequence, 1));
        sequence += 1;
      });
      try {
        await link.take(() => false, waitMs);
      } finally {
        stop();
      }
      link.requireOpen();
    },
  },
  {
    id: 'O-10',
    title: 'bye is answered by finished and close 1000',
    async check(test) {
      const { link } = await test.open(await test.ownCall());
      link.openStream(1);
      link.sendFrames(silentFrames(1, 0, 5));
      link.closeStream(1, 5);
      link.say({ type: 'bye', reason: 'callEnded' });
      const finished = await link.take((message) => message.type === 'finished');
      const { closed } = link.wire;
      require(finished !== undefined, 'finished', closed?.code ?? 'nothing');
      await link.closes([CLOSE.normal]);
    },
  },
  {
    id: 'O-10.open',
    title: 'bye with streams still open is answered alike',
    async check(test) {
      const { link } = await test.open(await test.ownCall());
      link.openStream(1);
      link.sendFrames(silentFrames(1, 0, 5));
      link.say({ type: 'bye', reason: 'released' });
      const finished = await link.take((message) => message.type === 'finished');
      require(finished !== undefined, 'finished', link.wire.closed?.code ?? 'nothing');
      await link.closes([CLOSE.normal]);
    },
  },
  {
    id: 'O-10.after',
    title: 'messages after bye are taken for nothing',
    async check(test) {
      const { link } = await test.open(await test.ownCall());
      link.say({ type: 'bye', reason: 'callEnded' });
      link.sendFrames(silentFrames(1, 0, 5));
      link.openStream(1);
      await link.closes([CLOSE.normal]);
    },
  },
  {
    id: 'M-2.over',
    title: 'an attachment that said bye does not return: close 4409 attachment_over',
    async check(test) {
      const call = await test.ownCall();
      const { link } = await test.open(call);
      link.say({ type: 'bye', reason: 'callEnded' });
      await link.closes([CLOSE.normal]);
      // Its own tokens may be refused by then: an attach of the same epoch would bring another.
      const again = await test.dial(call, { token: await test.forge() });
      again.say(again.hello);
      await again.closes([CLOSE.conflict], { reason: 'attachment_over' });
    },
  },
  {
    id: 'M-2.stale',
    title: 'an epoch below the newest: close 4409 stale_epoch',
    async check(test) {
      const old = await test.ownCall();
      await test.open(await test.placeAnew());
      const stale = await test.dial(old);
      stale.say(stale.hello);
      await stale.closes([CLOSE.conflict], { reason: 'stale_epoch' });
    },
  },
  {
    id: 'X-6',
    title: 'an error before a close has the code that is its reason',
    async check(test) {
      const old = await test.ownCall();
      await test.open(await test.placeAnew());
      const stale = await test.dial(old);
      stale.say(stale.hello);
      const error = await stale.take((message) => message.type === 'error');
      if (error?.type !== 'error') throw new NotApplicable('the worker sent no error');
      const { closed } = stale.wire;
      const item = closed ?? (await stale.wire.next(test.replyMs));
      const reason = item?.kind === 'close' ? item.reason : 'no close';
      require(reason === error.code, `reason ${error.code}`, reason);
    },
  },
  {
    id: 'O-13',
    title: 'a second link of the same epoch ends the first: close 4409 replaced',
    async check(test) {
      const call = await test.ownCall();
      const { link: first } = await test.open(call);
      const { link: second } = await test.open(call);
      await first.closes([CLOSE.conflict], { reason: 'replaced' });
      await second.settle();
    },
  },
  {
    id: 'M-2.media-epoch',
    title: 'another mediaEpochTicks for the same call: close 4400 media_epoch_changed',
    async check(test) {
      const call = await test.ownCall();
      const { link } = await test.open(call);
      await link.wire.break();
      const again = await test.dial(call);
      again.say({ ...again.hello, mediaEpochTicks: '1' });
      await again.closes([CLOSE.protocolError], { reason: 'media_epoch_changed' });
    },
  },
  {
    id: 'P-6',
    title: "the host's close is answered",
    async check(test) {
      const { link } = await test.open();
      await link.wire.close(CLOSE.goingAway, 'conformance');
      const code = link.wire.closed?.code;
      require(code !== 1006, 'a close frame', 'a broken connection');
    },
  },
];

async function requirePong(link: WorkerLink, id: number, clockNowTicks: string): Promise<void> {
  link.beSilent();
  link.say({ type: 'ping', id, clockNowTicks });
  const pong = await link.take((message) => message.type === 'pong');
  link.requireOpen();
  if (pong?.type !== 'pong') throw new Mismatch(`pong ${id}`, 'nothing');
  require(pong.id === id, `pong ${id}`, `pong ${pong.id}`);
  const echoed = pong.clockNowTicks;
  const isSame = echoed === undefined || echoed === clockNowTicks;
  require(isSame, `clockNowTicks ${clockNowTicks}`, echoed);
}

async function requireSilenceNoticed(
  link: WorkerLink,
  intervalMs: number,
  startMs: number,
): Promise<void> {
  link.beSilent();
  const leastMs = LIMITS.maxMissedPings * intervalMs;
  const mostMs = leastMs + intervalMs + LATE_MS;
  requirePatience(mostMs);
  const { atMs } = await link.closes([CLOSE.helloTimeout], {
    reason: 'peer_silent',
    withinMs: mostMs,
  });
  const tookMs = Math.round(atMs - startMs);
  require(tookMs >= leastMs - EARLY_MS, `4408 not before ${leastMs} ms`, `after ${tookMs} ms`);
}

function requirePatience(waitMs: number): void {
  if (waitMs <= MAX_SILENCE_MS) return;
  throw new NotApplicable(`its pingIntervalMs would take ${Math.round(waitMs)} ms to check`);
}
