import { systemClock } from '@earshot/async/system';
import { generateSequence } from '@earshot/dtmf';
import type { EarshotEvent } from '@earshot/events';
import { EventPublisher } from '@earshot/events';
import { parseStreamCheckpoint, WARM_UP_FRAMES } from '@earshot/media-session';
import type { StreamPosition } from '@earshot/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MediaWorker } from '../dist/index.js';
import { FAR_OFF_MS, LeapClock } from './leap-clock.js';
import { encode, join, silence, voice } from './sound.js';
import type { Placed } from './test-bench.js';
import { Bench, newCallId } from './test-bench.js';
import type { TestHost, Track } from './test-host.js';
import { WorkerProcess } from './worker-process.js';

const TONE_MS = 400;
const DIGITS = generateSequence({
  digits: '147#',
  toneMs: TONE_MS,
  pauseMs: 200,
  sampleRateHz: 16_000,
});
/** Speech to 2000 ms, tones from 2600 ms, speech from 5500 to 6500 ms. */
const TRACK = encode(
  join(silence(500), voice(1500), silence(600), DIGITS, silence(500), voice(1000), silence(1000)),
);
const MID_TONE = 2800 / 20;
const MID_TALK = 1600 / 20;

let bench: Bench;
let second: MediaWorker;
/** What one worker alone finds in the track. */
let alone: unknown[];

beforeAll(async () => {
  bench = await Bench.start();
  second = await bench.addWorker();
  const { host, callId } = await attached(bench.worker);
  host.open(1, '11');
  await host.play({ 1: TRACK });
  await host.bye();
  await bench.stopped(callId);
  alone = findings(callId);
});

afterAll(() => bench.close());

async function attached(
  worker: { readonly workerId: string },
  callId = newCallId(),
): Promise<Placed & { host: TestHost }> {
  const placed = await bench.place(callId, worker.workerId);
  return { ...placed, host: await bench.dial(placed).connect() };
}

/** The link goes away, and no worker hears why. */
function cut(host: TestHost): Promise<void> {
  return host.client.close(4999, 'test_cut');
}

/** What was heard, without what belongs to an attachment. */
function findings(callId: string): unknown[] {
  return bench
    .of(callId)
    .filter(({ type }) => !type.startsWith('media.') || type === 'media.gap')
    .map(({ id, type, data }) => ({ id: id.replace(callId, ''), type, data: comparable(data) }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** From when on talk is known depends on when the first frames are looked at. */
function comparable(data: EarshotEvent['data']): unknown {
  return 'speakers' in data ? { ...data, startMs: null } : data;
}

function stoppedOf(callId: string, epoch: number): Promise<EarshotEvent['data']> {
  const found = () => bench.ofType(callId, 'media.stopped').find((each) => each.epoch === epoch);
  return bench.until(() => found() !== undefined).then(() => found()?.data ?? {});
}

describe('alone', () => {
  it('a worker hears all of the track', () => {
    const types = alone.map((each) => (each as { type: string }).type);
    expect(types.filter((type) => type === 'tone.detected')).toHaveLength(4);
    expect(types.filter((type) => type === 'speech.ended')).toHaveLength(2);
    expect(types.filter((type) => type === 'talk.summary')).toHaveLength(1);
    expect(types.filter((type) => type === 'speaker.dominant')).toHaveLength(1);
    expect(types).toHaveLength(10);
  });
});

describe('a call that another worker takes over', () => {
  it.each([
    ['before anything sounds', 5],
    ['mid-talkspurt', MID_TALK],
    ['mid-tone', MID_TONE],
    ['between tones', 3100 / 20],
    ['just after a tone', 3020 / 20],
    ['in the last talkspurt', 6000 / 20],
    ['at its very end', TRACK.length],
  ])('in the middle, %s, is heard as by one worker alone', async (_, at) => {
    const { callId, host: first } = await attached(bench.worker);
    first.open(1, '11');
    await first.play({ 1: TRACK.slice(0, at) });
    await first.settled();
    await cut(first);
    const { host, epoch } = await attached(second, callId);
    const from = host.resumesAt(1) ?? 0;
    expect(from).toBeLessThanOrEqual(at);
    await host.resume(1, '11', TRACK);
    await host.settled();
    expect(host.losses(1)).toEqual({ lost: 0, dropped: 0 });
    await host.bye();
    const data = await stoppedOf(callId, epoch);
    expect(data).toMatchObject({ framesMissing: 0, gaps: 0, reason: 'callEnded' });
    expect(findings(callId)).toEqual(alone);
  });

  it('in order goes on where the first one stopped, which can store that until then', async () => {
    const { callId, host: first } = await attached(bench.worker);
    first.open(1, '11');
    await first.play({ 1: TRACK.slice(0, MID_TALK) });
    const placed = await bench.place(callId, second.workerId);
    first.send({ type: 'bye', reason: 'reattach' });
    expect(await first.closed).toMatchObject({ code: 1000 });
    const host = await bench.dial(placed).connect();
    expect(host.resumesAt(1)).toBeGreaterThanOrEqual(MID_TALK - WARM_UP_FRAMES - 5);
    await host.resume(1, '11', TRACK);
    await host.bye();
    const data = await stoppedOf(callId, placed.epoch);
    expect(data).toMatchObject({ framesMissing: 0, gaps: 0 });
    expect(findings(callId)).toEqual(alone);
  });

  it('time and again, also back to the first, loses nothing', async () => {
    let { callId, host } = await attached(bench.worker);
    host.open(1, '11');
    await host.play({ 1: TRACK.slice(0, 40) });
    await host.settled();
    for (let to = 80; to < TRACK.length; to += 40) {
      await cut(host);
      ({ host } = await attached((to / 40) % 2 === 0 ? second : bench.worker, callId));
      await host.resume(1, '11', TRACK.slice(0, to));
      await host.settled();
      expect(host.losses(1)).toEqual({ lost: 0, dropped: 0 });
    }
    await cut(host);
    ({ host } = await attached(second, callId));
    await host.resume(1, '11', TRACK);
    await host.bye();
    await bench.until(() =>
      bench.ofType(callId, 'media.stopped').some(({ data }) => data.reason === 'callEnded'),
    );
    expect(findings(callId)).toEqual(alone);
  });

  it('lists streams that were closed, and needs nothing of them', async () => {
    const { callId, host: first } = await attached(bench.worker);
    first.open(1, '11');
    first.open(2, undefined);
    await first.play({ 1: TRACK.slice(0, 100), 2: TRACK });
    await first.settled();
    first.close(2);
    await bench.until(() => bench.ofType(callId, 'media.streamClosed').length > 0);
    first.send({ type: 'bye', reason: 'reattach' });
    await first.closed;
    const { host, epoch } = await attached(second, callId);
    expect(host.resumesAt(2)).toBe(TRACK.length);
    await host.resume(1, '11', TRACK);
    await host.bye();
    expect(await stoppedOf(callId, epoch)).toMatchObject({ streams: 1, gaps: 0 });
  });

  it('counts what the host no longer has once, as the host does', async () => {
    const { callId, host: first } = await attached(bench.worker);
    first.open(1, '11');
    await first.play({ 1: TRACK.slice(0, 30) });
    await first.settled();
    await cut(first);
    const { host, epoch } = await attached(second, callId);
    const from = host.resumesAt(1) ?? 0;
    const kept = 60;
    host.open(1, '11', { firstSequence: from });
    host.shiftTime(1, from * 20);
    const frames = kept - from;
    host.send({ type: 'discarded', streamId: 1, firstSequence: from, frames, reason: 'window' });
    host.skip(1, frames);
    await host.play({ 1: TRACK.slice(kept) });
    await host.settled();
    expect(host.losses(1)).toEqual({ lost: frames, dropped: 0 });
    await host.bye();
    await stoppedOf(callId, epoch);
    const gaps = bench.ofType(callId, 'media.gap').map(({ data }) => data);
    expect(gaps.map(({ cause }) => cause)).toEqual(['discarded']);
    const endMs = gaps.map(({ startMs, durationMs }) => startMs + durationMs);
    expect(endMs).toEqual([kept * 20]);
  });

  it('is no longer moved by the worker that lost it', async () => {
    const { callId, host: first } = await attached(bench.worker);
    first.open(1, '11');
    await first.play({ 1: TRACK.slice(0, 50) });
    await first.settled();
    const { host, epoch } = await attached(second, callId);
    const from = host.resumesAt(1);
    // The first host's link is up, and its worker knows nothing yet.
    await first.play({ 1: TRACK.slice(50, 90) });
    expect(await first.closed).toEqual({ code: 4409, reason: 'lease_lost' });
    const [stored] = await bench.registry.positions(callId, 'm_1');
    expect(stored?.durable).toBe(from);
    await host.resume(1, '11', TRACK);
    await host.bye();
    await stoppedOf(callId, epoch);
    expect(findings(callId)).toEqual(alone);
    // What the first one says of its end is kept out.
    expect(bench.ofType(callId, 'media.stopped').map((stopped) => stopped.epoch)).toEqual([epoch]);
    const stats: { events: { fenced: number } } = JSON.parse(
      await (await fetch(`${bench.worker.url}/v1/stats`)).text(),
    );
    expect(stats.events.fenced).toBeGreaterThan(0);
  });

  it('ends at a worker whose events are kept out, though its lease holds', async () => {
    const { callId, epoch, host } = await attached(bench.worker);
    host.open(1, '11');
    await host.play({ 1: TRACK.slice(0, 50) });
    await host.settled();
    const other = new EventPublisher({ redisUrl: bench.redis.url, clock: systemClock });
    await other.ready();
    expect(await other.claim(callId, epoch + 1)).toBe('ok');
    await other.close();
    await host.play({ 1: TRACK.slice(50, 200) });
    expect(await host.closed).toEqual({ code: 4409, reason: 'lease_lost' });
  });

  it('is not ended by the worker that lost it, when no host comes back there', async () => {
    const clock = new LeapClock();
    const impatient = await bench.addWorker({ linkGraceMs: FAR_OFF_MS }, { clock });
    const { callId, epoch, host: first } = await attached(impatient);
    first.open(1, '11');
    await first.play({ 1: TRACK.slice(0, MID_TALK) });
    await first.settled();
    const placed = await bench.place(callId, second.workerId);
    await cut(first);
    await clock.leapUntil(() => bench.ofType(callId, 'media.stopped').length > 0);
    expect(await stoppedOf(callId, epoch)).toMatchObject({ reason: 'leaseLost' });
    expect(bench.ofType(callId, 'speech.ended')).toEqual([]);
    const host = await bench.dial(placed).connect();
    await host.resume(1, '11', TRACK);
    await host.bye();
    await stoppedOf(callId, placed.epoch);
    expect(findings(callId)).toEqual(alone);
  });

  it('of another media session begins anew', async () => {
    const { callId, host: first } = await attached(bench.worker);
    first.open(1, '11');
    await first.play({ 1: TRACK.slice(0, 100) });
    await first.settled();
    await cut(first);
    const placed = await bench.place(callId, second.workerId);
    const host = await bench.dial(placed, { mediaId: 'm_2' }).connect();
    expect(host.welcome?.resume).toEqual([]);
    await host.resume(1, '11', TRACK);
    await host.bye();
    const data = await stoppedOf(callId, placed.epoch);
    expect(data).toMatchObject({ framesReceived: TRACK.length, gaps: 0 });
  });

  it.each([-1, WARM_UP_FRAMES + 1, 2 ** 31 - 1])(
    'begins anew at its position when its checkpoint lies %i frames away',
    async (frames) => {
      const stored = await positionAt(MID_TALK);
      const checkpoint = parseStreamCheckpoint(stored.checkpoint);
      if (checkpoint === undefined) throw new Error('a checkpoint must be stored');
      const { callId, epoch, host: first } = await attached(bench.worker);
      await cut(first);
      const spoiled = { ...checkpoint, position: (stored.durable + frames) >>> 0 };
      const lease = { callId, workerId: bench.worker.workerId, epoch };
      await bench.registry.storePositions(lease, 'm_1', [{ ...stored, checkpoint: spoiled }]);
      const { host, epoch: later } = await attached(second, callId);
      await host.resume(1, '11', TRACK);
      await host.bye();
      const framesReceived = TRACK.length - stored.durable;
      expect(await stoppedOf(callId, later)).toMatchObject({ framesReceived, framesMissing: 0 });
      expect(bench.ofType(callId, 'tone.detected')).toHaveLength(4);
    },
  );

  it('keeps to 1024 streams, and leaves out the oldest that were closed', async () => {
    const { callId, epoch, host: first } = await attached(bench.worker);
    await cut(first);
    const lease = { callId, workerId: bench.worker.workerId, epoch };
    const many = Array.from({ length: 1024 }, (_, n): StreamPosition => {
      const identity = { kind: 'unmixed', sourceId: String(n), codec: 'opus' } as const;
      return { streamId: n + 1, ...identity, durable: 7, closed: n > 0 };
    });
    await bench.registry.storePositions(lease, 'm_1', many);
    const next = await attached(second, callId);
    expect(next.host.welcome?.resume).toHaveLength(1024);
    next.host.open(5000, '5000');
    await next.host.play({ 5000: TRACK.slice(0, 5) });
    await next.host.settled();
    const again = await bench.dial({ ...next, token: await mintFor(next) }).connect();
    expect(again.welcome?.resume).toHaveLength(1024);
    expect([1, 2, 3, 5000].map((id) => again.resumesAt(id))).toEqual([7, undefined, 7, 5]);
    await again.bye();
  });
});

/** Where a stream is stored that was heard so far. */
async function positionAt(frames: number): Promise<StreamPosition> {
  const { callId, host } = await attached(bench.worker);
  host.open(1, '11');
  await host.play({ 1: TRACK.slice(0, frames) });
  await host.until(() => host.durable(1) > 0);
  const [stored] = await bench.registry.positions(callId, 'm_1');
  await host.bye();
  if (stored === undefined) throw new Error('a position must be stored');
  return stored;
}

function mintFor({ callId, epoch }: Placed): Promise<string> {
  return bench.tokens.mint({ callId, workerId: second.workerId, epoch });
}

describe('a worker that is killed', () => {
  it.each([
    ['mid-tone', MID_TONE],
    ['mid-talkspurt', MID_TALK],
  ])('%s is followed by another that tells all of it, once', async (_, at) => {
    const victim = new WorkerProcess(bench.redis.url, { EARSHOT_WORKER_ID: `w_victim_${at}` });
    try {
      await victim.told();
      const { callId, host: first } = await attached({ workerId: `w_victim_${at}` });
      first.open(1, '11');
      await first.play({ 1: TRACK.slice(0, at) });
      await first.settled();
      victim.child.kill('SIGKILL');
      await first.closed;
      const { host, epoch } = await attached(second, callId);
      await host.resume(1, '11', TRACK);
      await host.bye();
      expect(await stoppedOf(callId, epoch)).toMatchObject({ framesMissing: 0, gaps: 0 });
      expect(findings(callId)).toEqual(alone);
    } finally {
      victim.child.kill('SIGKILL');
      await victim.exited;
    }
  });
});

describe('a stream that is not opened again', () => {
  it('ends where it was, after the grace', async () => {
    const clock = new LeapClock();
    const worker = await bench.addWorker({ linkGraceMs: FAR_OFF_MS }, { clock });
    const { host: first, ...placed } = await attached(worker);
    first.open(1, '11');
    first.open(2, '12');
    await first.play({ 1: TRACK.slice(0, MID_TALK), 2: TRACK.slice(0, MID_TALK) });
    await first.settled();
    const again = await bench.dial(placed).connect();
    expect([again.resumesAt(1), again.resumesAt(2)]).toEqual([MID_TALK, MID_TALK]);
    again.open(2, '12', { firstSequence: MID_TALK });
    again.shiftTime(2, MID_TALK * 20);
    await again.play({ 2: TRACK.slice(MID_TALK, MID_TALK + 5) });
    await again.settled();
    clock.leap();
    const { callId } = placed;
    await bench.until(() => bench.ofType(callId, 'media.streamClosed').length > 0);
    expect(bench.ofType(callId, 'media.streamClosed').map(({ data }) => data.streamId)).toEqual([
      1,
    ]);
    expect(bench.ofType(callId, 'speech.ended').map(({ sourceId }) => sourceId)).toEqual(['11']);
    await again.bye();
  });

  it('ends at the next worker too, with the speech that was open', async () => {
    const clock = new LeapClock();
    const worker = await bench.addWorker({ linkGraceMs: FAR_OFF_MS }, { clock });
    const { callId, epoch, host: first } = await attached(bench.worker);
    first.open(1, '11');
    await first.play({ 1: TRACK.slice(0, MID_TALK) });
    await first.settled();
    first.send({ type: 'bye', reason: 'reattach' });
    await stoppedOf(callId, epoch);
    expect(bench.ofType(callId, 'speech.ended')).toEqual([]);
    await first.closed;
    const { host } = await attached(worker, callId);
    clock.leap();
    await bench.until(() => bench.ofType(callId, 'speech.ended').length > 0);
    const [started] = bench.ofType(callId, 'speech.started');
    const [ended] = bench.ofType(callId, 'speech.ended');
    expect(ended?.data.startMs).toBe(started?.data.startMs);
    await host.bye();
  });
});

const QUIET_TRACK: Track = encode(silence(1000));

describe('a worker that leaves', () => {
  it('is gone as soon as its hosts have taken their calls elsewhere', async () => {
    // Who waits for the whole of it lets the test run out of its own time.
    const leaving = await bench.addWorker({ drainMs: FAR_OFF_MS });
    const calls = await Promise.all(Array.from({ length: 5 }, () => attached(leaving)));
    for (const { host } of calls) {
      host.open(1, '11');
      await host.play({ 1: QUIET_TRACK });
    }
    // A host whose link is down can't come back to a worker that leaves.
    const lost = await attached(leaving);
    await cut(lost.host);
    const closed = leaving.close();
    for (const { host, callId } of calls) {
      await host.until(() => host.drained);
      host.send({ type: 'bye', reason: 'reattach' });
      await host.closed;
      const { host: next } = await attached(second, callId);
      expect(next.resumesAt(1)).toBeGreaterThan(0);
      await next.resume(1, '11', QUIET_TRACK);
      await next.bye();
    }
    await closed;
    expect((await bench.stopped(lost.callId)).data.reason).toBe('drained');
  });
});

describe('a worker that stands still', () => {
  it('keeps no more than its rings hold, and counts what it drops', async () => {
    const workerId = 'w_still';
    const worker = new WorkerProcess(bench.redis.url, { EARSHOT_WORKER_ID: workerId });
    try {
      const { url } = await worker.told();
      const { callId, host, epoch } = await attached({ workerId });
      host.open(1, '11');
      await host.play({ 1: QUIET_TRACK });
      await host.settled();
      worker.child.kill('SIGSTOP');
      const bursts = 8;
      const track = Array.from({ length: 700 }, (_, n) => TRACK[n % TRACK.length] ?? null);
      for (let n = 0; n < bursts; n += 1) host.burst(1, track);
      worker.child.kill('SIGCONT');
      await host.settled();
      const { lost, dropped } = host.losses(1);
      expect(lost).toBe(0);
      expect(dropped).toBeGreaterThan(700 - 2 * 128);
      const metrics = await (await fetch(`${url}/metrics`)).text();
      const beyond = /^earshot_frames_beyond_credit_total\S* (\d+)$/m.exec(metrics)?.[1];
      expect(Number(beyond)).toBeGreaterThanOrEqual(dropped);
      await host.bye();
      const data = await stoppedOf(callId, epoch);
      const sent = QUIET_TRACK.length + bursts * 700;
      expect(data).toMatchObject({ framesDropped: dropped, framesMissing: 0 });
      expect('framesReceived' in data && data.framesReceived + dropped).toBe(sent);
      const gaps = bench.ofType(callId, 'media.gap').map((gap) => gap.data);
      expect(gaps.every(({ cause }) => cause === 'overflow')).toBe(true);
      expect(gaps.reduce((sum, gap) => sum + gap.missingFrames, 0)).toBe(dropped);
    } finally {
      worker.child.kill('SIGKILL');
      await worker.exited;
    }
  });
});
