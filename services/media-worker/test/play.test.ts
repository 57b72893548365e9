import { systemClock } from '@earshot/async/system';
import { writeOggOpus } from '@earshot/opus';
import type { PlayRecord } from '@earshot/registry';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { MediaWorker } from '../dist/index.js';
import { startMediaWorker } from '../dist/index.js';
import type { Attachment } from './playing-host.js';
import { PlayingHost } from './playing-host.js';
import { encode, voice } from './sound.js';
import { Bench, newCallId, testConfig } from './test-bench.js';

const WAIT = { timeout: 50_000, interval: 20 };
const SILENT_LOG = { debug() {}, info() {}, warn() {}, error() {} };
/** Four seconds. */
const PACKETS = encode(voice(4000));
const FIRST_BYTES = PACKETS.map(([first]) => first);

describe('playing into a meeting', () => {
  let bench: Bench;
  let audio: Uint8Array;
  let plays = 0;
  const others: MediaWorker[] = [];

  beforeAll(async () => {
    bench = await Bench.start({}, { persistent: true });
    audio = await writeOggOpus({ packets: PACKETS });
  });

  afterEach(async () => {
    await Promise.all(others.splice(0).map((worker) => worker.close()));
  });

  afterAll(() => bench.close());

  function attachment(): Promise<Attachment> {
    return bench.place(newCallId(), bench.worker.workerId);
  }

  /** Another worker, and the call placed there, as signaling does when it moves one. */
  async function elsewhere(callId: string): Promise<Attachment> {
    const worker = await startMediaWorker(testConfig(bench.redis.url), { log: SILENT_LOG });
    others.push(worker);
    return bench.place(callId, worker.workerId);
  }

  async function post(callId: string): Promise<string> {
    plays += 1;
    const playId = `p_${plays}`;
    await bench.registry.plays.add(
      {
        playId,
        callId,
        state: 'queued',
        createdAtMs: systemClock.wallclockMs(),
        frames: PACKETS.length,
        sampleRateHz: 16_000,
        digest: 'd',
      },
      audio,
    );
    return playId;
  }

  /** The record once the play is over and told. */
  async function over(callId: string, playId: string): Promise<PlayRecord | undefined> {
    await vi.waitUntil(async () => {
      const waiting = await bench.registry.plays.waiting(callId);
      return !waiting.some((play) => play.playId === playId);
    }, WAIT);
    return bench.registry.plays.read(callId, playId);
  }

  async function ended(callId: string, playId: string): Promise<unknown> {
    const find = () =>
      bench.ofType(callId, 'play.ended').filter(({ data }) => data.playId === playId);
    await bench.until(() => find().length > 0);
    expect(find()).toHaveLength(1);
    return find()[0]?.data;
  }

  it('is heard whole, told by events, and remembered', async () => {
    const placed = await attachment();
    const { callId } = placed;
    const host = await new PlayingHost().attach(placed);
    const playId = await post(callId);
    await host.playUntil(() => host.model.heard.length === PACKETS.length);
    expect(await over(callId, playId)).toMatchObject({
      state: 'played',
      playedFrames: PACKETS.length,
      epoch: placed.epoch,
    });
    expect(host.model.heard).toEqual(FIRST_BYTES);
    expect(host.model.faults).toEqual([]);
    expect(await bench.registry.plays.audio(callId, playId)).toBeUndefined();
    expect(await ended(callId, playId)).toEqual({ playId, outcome: 'played', playedMs: 4000 });
    expect(bench.ofType(callId, 'play.started')).toMatchObject([
      { id: `${callId}.play.${playId}.started`, data: { playId, durationMs: 4000 } },
    ]);
    expect(bench.ofType(callId, 'play.ended')[0]?.id).toBe(`${callId}.play.${playId}.ended`);
    const metrics = await (await fetch(`${bench.worker.url}/metrics`)).text();
    expect(metrics).toMatch(/earshot_plays_total\{[^}]*outcome="played"[^}]*\} 1/);
    await host.bye('callEnded');
  });

  it('comes one after the other, also what was posted before the host was there', async () => {
    const placed = await attachment();
    const { callId } = placed;
    const ids = [await post(callId), await post(callId)];
    const host = await new PlayingHost().attach(placed);
    ids.push(await post(callId));
    await host.playUntil(() => host.model.heard.length === 3 * PACKETS.length);
    for (const playId of ids) expect(await over(callId, playId)).toMatchObject({ state: 'played' });
    await ended(callId, ids[2] ?? '');
    const told = bench.of(callId).filter(({ type }) => type.startsWith('play.'));
    expect(told.map(({ id }) => id)).toEqual(
      ids.flatMap((id) => [`${callId}.play.${id}.started`, `${callId}.play.${id}.ended`]),
    );
    expect(host.model.faults).toEqual([]);
    await host.bye('callEnded');
  });

  it('goes on where it was after the link was cut, several times', async () => {
    const placed = await attachment();
    const { callId } = placed;
    const host = await new PlayingHost({ bufferFrames: 30 }).attach(placed);
    const playId = await post(callId);
    for (const frames of [1, 45, 120]) {
      await host.playUntil(() => host.model.heard.length >= frames);
      await host.cut();
      // What is buffered is played meanwhile.
      host.model.play(7);
      await host.redial();
    }
    await host.playUntil(() => host.model.heard.length === PACKETS.length);
    expect(await over(callId, playId)).toMatchObject({ state: 'played' });
    expect(host.model.heard).toEqual(FIRST_BYTES);
    expect(host.model.faults).toEqual([]);
    await ended(callId, playId);
    expect(bench.ofType(callId, 'play.started')).toHaveLength(1);
    await host.bye('callEnded');
  });

  it.each(['a bye', 'no word'])('goes on from another worker after %s', async (leave) => {
    const placed = await attachment();
    const { callId } = placed;
    const host = await new PlayingHost({ bufferFrames: 30 }).attach(placed);
    const playId = await post(callId);
    const second = await post(callId);
    await host.playUntil(() => host.model.heard.length >= 60);
    const next = await elsewhere(callId);
    if (leave === 'a bye') await host.bye('reattach');
    else await host.cut();
    await host.attach(next);
    await host.playUntil(() => host.model.heard.length === 2 * PACKETS.length);
    expect(await over(callId, playId)).toMatchObject({ state: 'played', epoch: next.epoch });
    expect(await over(callId, second)).toMatchObject({ state: 'played' });
    expect(host.model.heard).toEqual([...FIRST_BYTES, ...FIRST_BYTES]);
    expect(host.model.faults).toEqual([]);
    expect(await ended(callId, playId)).toMatchObject({ outcome: 'played', playedMs: 4000 });
    await ended(callId, second);
    expect(bench.ofType(callId, 'play.started').map(({ data }) => data.playId)).toEqual([
      playId,
      second,
    ]);
    await host.bye('callEnded');
  });

  it('stops when cleared, and the next one begins', async () => {
    const placed = await attachment();
    const { callId } = placed;
    const host = await new PlayingHost({ bufferFrames: 50 }).attach(placed);
    const ids = [await post(callId), await post(callId), await post(callId)];
    const [first = '', queued = '', last = ''] = ids;
    await host.playUntil(() => host.model.heard.length >= 60);
    const heard = host.model.heard.length;
    await bench.registry.plays.requestClear(callId, queued);
    await bench.registry.plays.requestClear(callId, first);
    expect(await over(callId, first)).toMatchObject({ state: 'cleared', playedFrames: heard });
    expect(await over(callId, queued)).toMatchObject({ state: 'cleared', playedFrames: 0 });
    expect(await ended(callId, first)).toMatchObject({ outcome: 'cleared', playedMs: heard * 20 });
    await host.playUntil(() => host.model.heard.length === heard + PACKETS.length);
    expect(await over(callId, last)).toMatchObject({ state: 'played' });
    expect(bench.ofType(callId, 'play.started').map(({ data }) => data.playId)).toEqual([
      first,
      last,
    ]);
    await host.bye('callEnded');
  });

  it('waits for credit', async () => {
    const placed = await attachment();
    const { callId } = placed;
    const host = new PlayingHost();
    host.model.credit = 0;
    await host.attach(placed);
    const playId = await post(callId);
    await host.until(() => host.model.isOpen);
    host.play(100);
    expect(host.model.heard).toEqual([]);
    host.model.credit = 10;
    await host.playUntil(() => host.model.heard.length === PACKETS.length);
    expect(await over(callId, playId)).toMatchObject({ state: 'played' });
    expect(host.model.faults).toEqual([]);
    await host.bye('callEnded');
  });

  it('fails where the host cannot play', async () => {
    const placed = await attachment();
    const { callId } = placed;
    const host = await new PlayingHost({ canPlay: false }).attach(placed);
    expect(host.welcome?.send).toBeUndefined();
    const playId = await post(callId);
    expect(await over(callId, playId)).toMatchObject({
      state: 'failed',
      reason: 'host_cannot_play',
    });
    expect(await ended(callId, playId)).toEqual({
      playId,
      outcome: 'failed',
      reason: 'host_cannot_play',
      playedMs: 0,
    });
    expect(await bench.registry.plays.hostCanPlay(callId)).toBe(false);
    await host.bye('callEnded');
  });

  it('ends with the call, for what sounds and for what waits', async () => {
    const placed = await attachment();
    const { callId } = placed;
    const host = await new PlayingHost({ bufferFrames: 50 }).attach(placed);
    const ids = [await post(callId), await post(callId)];
    await host.playUntil(() => host.model.heard.length >= 60);
    await host.bye('released');
    for (const playId of ids) {
      const record = { state: 'failed', reason: 'media_ended' };
      expect(await over(callId, playId)).toMatchObject(record);
    }
    await bench.stopped(callId);
    expect(bench.of(callId).at(-1)?.type).toBe('media.stopped');
    const [first, second] = bench.ofType(callId, 'play.ended');
    expect(first?.data).toMatchObject({ outcome: 'failed', reason: 'media_ended' });
    expect(first?.data.playedMs).toBeGreaterThan(0);
    expect(second?.data).toMatchObject({ playId: ids[1], playedMs: 0 });
  });

  it('goes on while Redis is away, and tells its end when it is back', async () => {
    const placed = await attachment();
    const { callId } = placed;
    const host = await new PlayingHost({ bufferFrames: 50 }).attach(placed);
    const playId = await post(callId);
    await host.playUntil(() => host.model.heard.length >= 60);
    await bench.redis.kill();
    await host.playUntil(() => host.model.heard.length === PACKETS.length);
    await bench.redis.restart();
    expect(await over(callId, playId)).toMatchObject({ state: 'played' });
    expect(await ended(callId, playId)).toMatchObject({ outcome: 'played' });
    await host.bye('callEnded');
  });
});
