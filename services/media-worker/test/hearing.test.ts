import { generateSequence } from '@earshot/dtmf';
import { eventCounts } from '@earshot/events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encode, join, silence, voice } from './sound.js';
import { Bench } from './test-bench.js';
import type { Track } from './test-host.js';

const DIGITS = generateSequence({
  digits: '147#9',
  toneMs: 120,
  pauseMs: 120,
  sampleRateHz: 16_000,
});
const KEYING = encode(join(silence(500), DIGITS, silence(500)));
const TALKING = encode(join(silence(500), voice(1500), silence(800), voice(1000), silence(800)));

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterAll(() => bench.close());

function losing(track: Track, from: number, count: number): Track {
  return track.map((packet, n) => (n >= from && n < from + count ? null : packet));
}

/** Not lost, and not of a pause that DTX left out. */
function hasSound(packet: Uint8Array | null): boolean {
  return packet !== null && packet.length > 2;
}

describe('a call', () => {
  it('is heard: digits, speech and gaps, each with its participant', async () => {
    const { host, callId } = await bench.host();
    const begunAtMs = Date.now();
    await bench.registry.bindSources(
      callId,
      new Map([['11', [{ participantId: 'p-a', displayName: 'Ada', fromMs: 0 }]]]),
    );
    await bench.registry.bindSources(
      callId,
      new Map([['12', [{ participantId: 'p-g', fromMs: 0 }]]]),
    );
    host.open(1, '11');
    host.open(2, '12');
    await host.play({ 1: KEYING, 2: losing(TALKING, 60, 4) });
    expect(await host.bye()).toMatchObject({ code: 1000 });

    const stopped = await bench.stopped(callId);
    const tones = bench.ofType(callId, 'tone.detected');
    expect(tones.map(({ data }) => data.digit).join('')).toBe('147#9');
    tones.forEach(({ data, participant, sourceId }, n) => {
      expect(participant).toEqual({ id: 'p-a', displayName: 'Ada' });
      expect(sourceId).toBe('11');
      // Opus delays by 6.5 ms.
      expect(Math.abs(data.startMs - (500 + n * 240))).toBeLessThanOrEqual(25);
      expect(Math.abs(data.durationMs - 120)).toBeLessThanOrEqual(25);
    });

    const spoken = bench.ofType(callId, 'speech.ended');
    expect(spoken.map(({ participant }) => participant)).toEqual([{ id: 'p-g' }, { id: 'p-g' }]);
    [
      [500, 2000],
      [2800, 3800],
    ].forEach(([startMs = 0, endMs = 0], n) => {
      expect(Math.abs((spoken[n]?.data.startMs ?? 0) - startMs)).toBeLessThanOrEqual(120);
      expect(Math.abs((spoken[n]?.data.endMs ?? 0) - endMs)).toBeLessThanOrEqual(200);
    });
    expect(bench.ofType(callId, 'speech.started')).toHaveLength(2);
    expect(await bench.registry.spokeAtMs(callId)).toBeGreaterThanOrEqual(begunAtMs);

    expect(bench.ofType(callId, 'media.gap').map(({ data }) => data)).toEqual([
      {
        streamId: 2,
        missingFrames: 4,
        concealedFrames: 4,
        startMs: 1200,
        durationMs: 80,
        cause: 'lost',
      },
    ]);
    const sent = KEYING.length + TALKING.length - 4;
    const withSound = [...KEYING, ...losing(TALKING, 60, 4)].filter(hasSound);
    expect(withSound.length).toBeLessThan(sent);
    expect(stopped.data).toEqual({
      streams: 2,
      framesReceived: sent,
      framesDecoded: withSound.length,
      framesConcealed: 4,
      framesMissing: 4,
      framesCorrupt: 0,
      framesDropped: 0,
      gaps: 1,
      reason: 'callEnded',
    });
  });

  it('numbers its events without a hole, and publishes what it counts', async () => {
    const { host, callId } = await bench.host();
    host.open(1, '11');
    await host.play({ 1: KEYING });
    await host.bye();
    await bench.stopped(callId);
    const events = bench.of(callId);
    expect(events.map(({ position }) => position)).toEqual(events.map((_, n) => n));
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    expect(events.map(({ type }) => type)).toEqual([
      'media.started',
      'media.streamOpened',
      ...DIGIT_EVENTS,
      'media.streamClosed',
      'media.stopped',
    ]);
    expect(await eventCounts(bench.redis.url, callId)).toEqual({ published: events.length });
    await expect.poll(() => bench.registry.leaseOf(callId), { timeout: 50_000 }).toBeUndefined();
  });

  it('hears the same when the same is sent again: same ids, same findings', async () => {
    const placed = await bench.place();
    const hear = async (epoch: number, token: string): Promise<void> => {
      const host = await bench.dial({ callId: placed.callId, epoch, token }).connect();
      host.open(1, '11');
      await host.play({ 1: KEYING });
      await host.bye();
    };
    await hear(placed.epoch, placed.token);
    await bench.stopped(placed.callId);
    const again = await bench.place(placed.callId);
    await hear(again.epoch, again.token);
    await bench.until(() => bench.ofType(placed.callId, 'media.stopped').length === 2);
    // The consumer drops by id what it has seen.
    expect(bench.ofType(placed.callId, 'tone.detected')).toHaveLength(5);
    expect(bench.ofType(placed.callId, 'media.started')).toHaveLength(2);
  });

  it('is heard beside another, each on its own', async () => {
    const [first, second] = await Promise.all([bench.host(), bench.host()]);
    first.host.open(1, '11');
    second.host.open(1, '11');
    await Promise.all([
      first.host.play({ 1: KEYING }),
      second.host.play({ 1: losing(TALKING, 10, 3) }),
    ]);
    await Promise.all([first.host.bye(), second.host.bye()]);
    await Promise.all([bench.stopped(first.callId), bench.stopped(second.callId)]);
    expect(bench.ofType(first.callId, 'tone.detected')).toHaveLength(5);
    expect(bench.ofType(first.callId, 'media.gap')).toEqual([]);
    expect(bench.ofType(second.callId, 'tone.detected')).toEqual([]);
    expect(bench.ofType(second.callId, 'media.gap')).toHaveLength(1);
  });

  it('loses one frame to one corrupt packet, and none of another stream', async () => {
    const { host, callId } = await bench.host();
    host.open(1, '11');
    host.open(2, '12');
    const damaged = KEYING.map((packet, n) => (n % 40 === 5 ? Uint8Array.of(0xff, 0xff) : packet));
    const corrupt = damaged.filter((packet, n) => packet !== KEYING[n]).length;
    await host.play({ 1: damaged, 2: KEYING });
    await host.bye();
    const { data } = await bench.stopped(callId);
    expect(corrupt).toBeGreaterThan(1);
    expect(data).toMatchObject({ framesCorrupt: corrupt, framesMissing: 0, gaps: corrupt });
    const gaps = bench.ofType(callId, 'media.gap');
    expect(gaps.every((gap) => gap.data.cause === 'corrupt' && gap.data.streamId === 1)).toBe(true);
    const clean = bench.ofType(callId, 'tone.detected').filter(({ sourceId }) => sourceId === '12');
    expect(clean.map((event) => event.data.digit).join('')).toBe('147#9');
  });

  it('hears PCM as well', async () => {
    const { host, callId } = await bench.host();
    host.open(1, undefined, { codec: 'pcm16' });
    const pcm = join(silence(300), DIGITS, silence(300));
    const bytes = new Uint8Array(pcm.buffer);
    const track = Array.from({ length: bytes.length / 640 }, (_, n) =>
      bytes.subarray(n * 640, (n + 1) * 640),
    );
    await host.play({ 1: track });
    await host.bye();
    const { data } = await bench.stopped(callId);
    expect(data).toMatchObject({ framesDecoded: track.length, gaps: 0 });
    const tones = bench.ofType(callId, 'tone.detected');
    expect(tones.map((tone) => tone.data.digit).join('')).toBe('147#9');
    expect(
      tones.every(({ sourceId, participant }) => sourceId === null && participant === null),
    ).toBe(true);
  });

  it('counts what its own overflow drops', async () => {
    const { host, callId } = await bench.host();
    host.open(1, '11');
    const track = Array.from({ length: 700 }, (_, n) => KEYING[n % KEYING.length] ?? null);
    host.burst(1, track);
    await host.bye();
    const { data } = await bench.stopped(callId);
    expect(data.framesDropped).toBeGreaterThan(0);
    expect(data.framesReceived + data.framesDropped).toBe(700);
    expect(data.framesMissing).toBe(0);
    const gaps = bench.ofType(callId, 'media.gap');
    expect(gaps.every((gap) => gap.data.cause === 'overflow')).toBe(true);
    const lost = gaps.reduce((sum, gap) => sum + gap.data.missingFrames, 0);
    expect(lost).toBe(data.framesDropped);
  });

  it('tells what the host let go of from what was lost', async () => {
    const { host, callId } = await bench.host();
    host.open(1, '11');
    await host.play({ 1: TALKING.slice(0, 50) });
    host.send({
      type: 'discarded',
      streamId: 1,
      firstSequence: 50,
      frames: 7,
      reason: 'overflow',
    });
    await host.play({ 1: losing(TALKING.slice(50), 0, 9) });
    await host.bye();
    await bench.stopped(callId);
    expect(
      bench.ofType(callId, 'media.gap').map(({ data }) => [data.cause, data.missingFrames]),
    ).toEqual([
      ['discarded', 7],
      ['lost', 2],
    ]);
  });
});

const DIGIT_EVENTS = Array.from({ length: 5 }, () => 'tone.detected');
