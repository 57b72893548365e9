import type { Cancel, Clock } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import { generateSequence } from '@earshot/dtmf';
import { WARM_UP_FRAMES } from '@earshot/media-session';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { FAR_OFF_MS, LeapClock } from './leap-clock.js';
import { encode, join, silence, voice } from './sound.js';
import { Bench } from './test-bench.js';
import type { Track } from './test-host.js';

const QUIET = encode(silence(1000));
const TALKING = encode(join(silence(500), voice(1500)));
const KEYING = encode(
  join(
    silence(500),
    generateSequence({ digits: '5', toneMs: 200, pauseMs: 100, sampleRateHz: 16_000 }),
    silence(500),
  ),
);

const WAIT = { timeout: 50_000, interval: 20 };

/** What another worker hears again, muted, and how far checkpoints lie apart. */
const LAG = WARM_UP_FRAMES + 5;
/** Frames of `KEYING` before its tone, and to the middle of it. */
const TONE = 25;
const MID_TONE = 30;

/** The machine's clock, but what beat when it was made still beats no more. */
class BeatlessClock implements Clock {
  isStill = false;

  nowMs(): number {
    return systemClock.nowMs();
  }

  wallclockMs(): number {
    return systemClock.wallclockMs();
  }

  at(deadlineMs: number, run: () => void): Cancel {
    const wasStill = this.isStill;
    return systemClock.at(deadlineMs, () => {
      if (wasStill === this.isStill) run();
    });
  }
}

describe('a link', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.start();
  });
  afterAll(() => bench.close());

  it('with garbage is closed, and no other call notices', async () => {
    const { host: good, callId } = await bench.host();
    const { host: bad } = await bench.host();
    good.open(1, '11');
    bad.open(1, '11');
    await good.play({ 1: KEYING.slice(0, 30) });
    bad.client.sendFrames(Uint8Array.of(1, 1, 0, 9, 0, 0, 0));
    expect(await bad.closed).toEqual({ code: 4400, reason: 'truncated' });
    await good.play({ 1: KEYING.slice(30) });
    await good.bye();
    const { data } = await bench.stopped(callId);
    expect(data).toMatchObject({ framesReceived: KEYING.length, gaps: 0 });
    expect(bench.ofType(callId, 'tone.detected')).toHaveLength(1);
  });

  it('with another key, worker or call in its token is refused', async () => {
    const placed = await bench.place();
    const { callId, epoch } = placed;
    const workerId = bench.worker.workerId;
    const elsewhere = await bench.tokens.mint({ callId, epoch, workerId: 'w_other' });
    const other = await bench.tokens.mint({ callId: 'c_other', epoch, workerId });
    for (const token of ['nonsense', elsewhere, other]) {
      const dialled = bench.dial({ ...placed, token }).connect();
      await expect(dialled).rejects.toMatchObject({ code: 'unauthorized' });
    }
    expect(bench.of(callId)).toEqual([]);
  });

  it('of an epoch that is over is refused, and one whose lease is lost ends', async () => {
    const first = await bench.place();
    const host = await bench.dial(first).connect();
    host.open(1, '11');
    const second = await bench.place(first.callId);
    await expect(bench.dial(first).connect()).rejects.toMatchObject({ code: 'stale_epoch' });
    const next = await bench.dial(second).connect();
    expect(await host.closed).toEqual({ code: 4409, reason: 'lease_lost' });
    const stopped = await bench.stopped(first.callId);
    expect([stopped.epoch, stopped.data.reason]).toEqual([first.epoch, 'leaseLost']);
    await next.bye();
  });

  it('gives way to a newer link of the same call, which goes on where it was', async () => {
    const placed = await bench.place();
    const first = await bench.dial(placed).connect();
    first.open(1, '11');
    await first.play({ 1: KEYING.slice(0, 30) });
    await first.settled();
    const second = await bench.dial(placed).connect();
    expect(await first.closed).toEqual({ code: 4409, reason: 'replaced' });
    expect(second.welcome?.resume).toEqual([{ streamId: 1, durableSequence: 30 }]);
    second.open(1, '11', { firstSequence: 30 });
    second.shiftTime(1, 600);
    await second.play({ 1: KEYING.slice(30) });
    await second.bye();
    const { data } = await bench.stopped(placed.callId);
    expect(data).toMatchObject({ streams: 1, framesReceived: KEYING.length, gaps: 0 });
    const tones = bench.ofType(placed.callId, 'tone.detected');
    expect(tones.map((tone) => tone.data.digit)).toEqual(['5']);
    expect(bench.ofType(placed.callId, 'media.started')).toHaveLength(1);
  });

  it('may break and come back, in the middle of a tone', async () => {
    const placed = await bench.place();
    const first = await bench.dial(placed).connect();
    first.open(1, '11');
    await first.play({ 1: KEYING.slice(0, 30) });
    await first.client.close(4999, 'test_break');
    const second = await bench.dial(placed).connect();
    second.open(1, '11', { firstSequence: 20 });
    second.shiftTime(1, 400);
    await second.play({ 1: KEYING.slice(20) });
    await second.bye();
    const { data } = await bench.stopped(placed.callId);
    expect(data).toMatchObject({ framesReceived: KEYING.length, gaps: 0 });
    expect(bench.ofType(placed.callId, 'tone.detected')).toHaveLength(1);
  });

  it('may not come back after bye', async () => {
    const placed = await bench.place();
    const host = await bench.dial(placed).connect();
    await host.bye('released');
    const { callId, epoch } = placed;
    const token = await bench.tokens.mint({ callId, epoch, workerId: bench.worker.workerId });
    const again = bench.dial({ callId, epoch, token }).connect();
    await expect(again).rejects.toMatchObject({ code: 'attachment_over' });
    expect((await bench.stopped(placed.callId)).data.reason).toBe('released');
  });

  it('may not change the media clock', async () => {
    const placed = await bench.place();
    const host = await bench.dial(placed).connect();
    const changed = bench.dial(placed, { mediaEpochTicks: '5' }).connect();
    await expect(changed).rejects.toMatchObject({ code: 'media_epoch_changed' });
    await host.bye();
  });

  it('that says reattach leaves open what sounds, and the totals are told', async () => {
    const { host, callId } = await bench.host();
    host.open(1, '11');
    await host.play({ 1: TALKING });
    await host.settled();
    host.send({ type: 'bye', reason: 'reattach' });
    await host.closed;
    const { data } = await bench.stopped(callId);
    expect(data).toMatchObject({ reason: 'reattach', framesReceived: TALKING.length });
    expect(bench.ofType(callId, 'speech.started')).toHaveLength(1);
    expect(bench.ofType(callId, 'speech.ended')).toEqual([]);
  });

  it('counts frames of streams that are not open, and goes on', async () => {
    const { host, callId } = await bench.host();
    host.open(1, '11');
    host.open(2, '12');
    host.send({ type: 'streamClose', streamId: 2, nextSequence: 0 });
    host.burst(2, QUIET.slice(0, 3));
    // Nobody tells of them; what came behind them on the link is told.
    host.forget(2);
    await host.play({ 1: QUIET });
    await host.settled();
    const stats = await (await fetch(`${bench.worker.url}/v1/stats`)).json();
    const own = expect.objectContaining({ callId, linked: true, strayFrames: 3 });
    expect(stats).toMatchObject({ calls: expect.arrayContaining([own]) });
    await host.bye();
    expect((await bench.stopped(callId)).data.framesReceived).toBe(QUIET.length);
  });

  it('is told how far its frames are: durable follows, also in speech, and not past a tone', async () => {
    const { host } = await bench.host();
    host.open(1, '11');
    await host.play({ 1: TALKING });
    await host.until(() => host.durable(1) >= TALKING.length - LAG);
    await host.play({ 1: KEYING.slice(0, MID_TONE) });
    await host.settled();
    await host.until(() => host.durable(1) >= TALKING.length + TONE - LAG);
    expect(host.durable(1)).toBeLessThanOrEqual(TALKING.length + TONE);
    await host.play({ 1: KEYING.slice(MID_TONE) });
    await host.until(() => host.durable(1) >= TALKING.length + KEYING.length - LAG);
    await host.bye();
  });

  it('is told that a stream it closed is durable to its end', async () => {
    const { host, callId } = await bench.host();
    host.open(1, '11');
    host.open(2, '12');
    await host.play({ 1: KEYING, 2: QUIET });
    host.send({ type: 'streamClose', streamId: 1, nextSequence: KEYING.length + 3 });
    await host.until(() => host.durable(1) === KEYING.length + 3);
    expect(host.losses(1)).toEqual({ lost: 3, dropped: 0 });
    host.forget(1);
    await host.bye();
    expect((await bench.stopped(callId)).data.framesMissing).toBe(3);
  });

  it('may open a stream again that it closed: it goes on, and so does what is counted', async () => {
    const { host, callId } = await bench.host();
    host.open(1, '11');
    await host.play({ 1: QUIET });
    host.skip(1, 2);
    host.close(1);
    const firstSequence = QUIET.length + 2;
    host.open(1, '11', { firstSequence });
    host.shiftTime(1, firstSequence * 20);
    await host.play({ 1: KEYING });
    await host.settled();
    expect(host.losses(1)).toEqual({ lost: 2, dropped: 0 });
    await host.until(() => host.durable(1) > firstSequence);
    await host.bye();
    expect((await bench.stopped(callId)).data).toMatchObject({ streams: 2, framesMissing: 2 });
  });

  it('may not give the id of a stream to another', async () => {
    const { host } = await bench.host();
    host.open(1, '11');
    host.send({ type: 'streamClose', streamId: 1, nextSequence: 0 });
    host.open(1, '12');
    expect(await host.closed).toEqual({ code: 4400, reason: 'stream_changed' });
  });

  it('in real time is told so too, by the clock', async () => {
    const { host } = await bench.host({ virtualTime: false });
    host.open(1, '11');
    await host.play({ 1: QUIET });
    await host.settled();
    expect(host.received(1)).toBe(QUIET.length);
    await host.until(() => host.durable(1) >= QUIET.length - LAG);
    await host.bye();
  });

  it('in real time need not wait for the clock to have its credit back', async () => {
    const clock = new BeatlessClock();
    await using still = await Bench.start({}, { clock });
    // By beats alone not all of it would ever be sent.
    clock.isStill = true;
    const { host, callId } = await still.host({ virtualTime: false });
    host.open(1, '11');
    const frames = 3000;
    const track = Array.from({ length: frames }, (_, n) => TALKING[n % TALKING.length] ?? null);
    await host.play({ 1: track });
    await host.bye();
    expect((await still.stopped(callId)).data).toMatchObject({ framesReceived: frames, gaps: 0 });
  });

  it('has a host that comes back send nothing again that is here already', async () => {
    const placed = await bench.place();
    const first = await bench.dial(placed, { virtualTime: false }).connect();
    first.open(1, '11');
    first.burst(1, TALKING.slice(0, 90));
    await first.client.close(4999, 'test_break');
    const second = await bench.dial(placed, { virtualTime: false }).connect();
    expect(second.resumesAt(1)).toBe(90);
    await second.resume(1, '11', TALKING);
    await second.bye();
    const { data } = await bench.stopped(placed.callId);
    expect(data).toMatchObject({ framesReceived: TALKING.length, gaps: 0 });
  });
});

describe('a worker', () => {
  let bench: Bench;
  afterEach(() => bench.close());

  it('ends a call whose host stays away', async () => {
    const clock = new LeapClock();
    bench = await Bench.start({ linkGraceMs: FAR_OFF_MS }, { clock });
    const { host, callId } = await bench.host();
    host.open(1, '11');
    await host.play({ 1: TALKING });
    await host.settled();
    await host.client.close();
    await clock.leapUntil(() => bench.ofType(callId, 'media.stopped').length > 0);
    const { data } = await bench.stopped(callId);
    expect(data).toMatchObject({ reason: 'linkLost', framesReceived: TALKING.length });
    expect(bench.ofType(callId, 'speech.ended')).toHaveLength(1);
    await expect.poll(() => bench.registry.leaseOf(callId), WAIT).toBeUndefined();
  });

  it('has room for so many streams', async () => {
    bench = await Bench.start({ maxStreams: 2 });
    // Now: once it says that it is full, nothing is placed there.
    const late = await bench.place();
    const { host } = await bench.host();
    host.open(1, '11');
    host.open(2, '12');
    host.open(3, '13');
    expect(await host.closed).toEqual({ code: 4429, reason: 'worker_busy' });
    await expect(bench.dial(late).connect()).rejects.toMatchObject({ code: 'worker_busy' });
  });

  it('survives the death of its decode threads with what they were at', async () => {
    bench = await Bench.start();
    const { host, callId } = await bench.host();
    host.open(1, '11');
    host.open(2, '12');
    const quiet: Track = QUIET;
    await host.play({ 1: TALKING, 2: quiet });
    await host.settled();
    for (const thread of bench.worker.pool.threads) thread.terminate();
    await host.play({ 1: KEYING, 2: quiet });
    await host.bye();
    const { data } = await bench.stopped(callId);
    expect(bench.worker.pool.restarts).toBe(2);
    const sent = TALKING.length + KEYING.length + 2 * QUIET.length;
    expect(data.framesReceived + data.framesMissing).toBe(sent);
    expect(data.framesMissing).toBeLessThanOrEqual(2);
    expect(bench.ofType(callId, 'speech.ended')).toHaveLength(1);
    expect(bench.ofType(callId, 'tone.detected')).toHaveLength(1);
  });

  it('keeps what it found while Redis is away, and moves no position past it', async () => {
    const healthLimits = new Map([['redis_away_seconds', 0.5]]);
    bench = await Bench.start({ healthLimits }, { persistent: true });
    const { host, callId } = await bench.host();
    host.open(1, '11');
    await host.play({ 1: QUIET });
    await host.until(() => host.durable(1) >= QUIET.length - LAG);
    await bench.redis.kill();
    await host.play({ 1: KEYING });
    await host.play({ 1: QUIET });
    await host.settled();
    expect(host.received(1)).toBe(2 * QUIET.length + KEYING.length);
    expect(host.durable(1)).toBeLessThanOrEqual(QUIET.length);
    const isReady = async (): Promise<boolean> => (await fetch(`${bench.worker.url}/readyz`)).ok;
    await expect.poll(isReady, WAIT).toBe(false);
    expect((await fetch(`${bench.worker.url}/livez`)).status).toBe(200);
    await bench.redis.restart();
    await host.until(() => host.durable(1) >= 2 * QUIET.length + KEYING.length - LAG);
    await expect.poll(isReady, WAIT).toBe(true);
    await host.bye();
    await bench.stopped(callId);
    const events = bench.of(callId);
    expect(events.map(({ position }) => position)).toEqual(events.map((_, n) => n));
    expect(bench.ofType(callId, 'tone.detected')).toHaveLength(1);
  });

  it('waits for the roster to name a new source', async () => {
    bench = await Bench.start({ attributionWaitMs: FAR_OFF_MS });
    const { host, callId } = await bench.host();
    host.open(1, '11');
    await host.play({ 1: KEYING });
    host.close(1);
    host.send({ type: 'bye', reason: 'callEnded' });
    await bench.until(() => bench.ofType(callId, 'media.started').length > 0);
    await bench.registry.bindSources(
      callId,
      new Map([['11', [{ participantId: 'p-late', fromMs: 0 }]]]),
    );
    await host.closed;
    await bench.stopped(callId);
    const named = bench.of(callId).filter(({ sourceId }) => sourceId === '11');
    expect(named).toHaveLength(3);
    expect(named.every(({ participant }) => participant?.id === 'p-late')).toBe(true);
  });

  it('asks hosts to leave when it closes, and takes no more calls', async () => {
    bench = await Bench.start({ drainMs: FAR_OFF_MS });
    const { host, callId } = await bench.host();
    host.open(1, '11');
    await host.play({ 1: TALKING });
    const late = await bench.place();
    const closed = bench.worker.close();
    await host.until(() => host.drained);
    await expect(bench.dial(late).connect()).rejects.toMatchObject({ code: 'draining' });
    await vi.waitUntil(
      async () => (await bench.registry.workers()).every(({ draining }) => draining),
      WAIT,
    );
    expect(await bench.registry.placeCall('c_another')).toBeUndefined();
    await host.bye('reattach');
    await closed;
    expect((await bench.stopped(callId)).data.reason).toBe('reattach');
    expect(await bench.registry.workers()).toEqual([]);
  });

  it('ends the calls of hosts that do not leave', async () => {
    bench = await Bench.start({ drainMs: 50 });
    const { host, callId } = await bench.host();
    host.open(1, '11');
    await host.play({ 1: TALKING });
    await bench.worker.close();
    expect(await host.closed).toEqual({ code: 4503, reason: 'draining' });
    expect((await bench.stopped(callId)).data.reason).toBe('drained');
  });
});
