import { describe, expect, it } from 'vitest';
import type { PlayRecord } from '../src/play-record.js';
import { until, useRedis } from './support.js';

const redis = useRedis();
const AUDIO = Uint8Array.of(0, 255, 10, 13);

function play(playId: string, more: Partial<PlayRecord> = {}): PlayRecord {
  return {
    playId,
    callId: 'c_1',
    state: 'queued',
    createdAtMs: 1_700_000_000_000,
    frames: 50,
    sampleRateHz: 16_000,
    digest: 'ab',
    ...more,
  };
}

describe('plays', () => {
  it('come back in order, with their audio byte for byte', async () => {
    const { plays } = await redis.registry();
    await plays.add(play('p_1'), AUDIO);
    await plays.add(play('p_2'), new Uint8Array(0));
    expect(await plays.waiting('c_1')).toEqual([play('p_1'), play('p_2')]);
    expect(await plays.read('c_1', 'p_2')).toEqual(play('p_2'));
    expect(Array.from((await plays.audio('c_1', 'p_1')) ?? [])).toEqual(Array.from(AUDIO));
    expect(await plays.audio('c_1', 'p_2')).toHaveLength(0);
    expect(await plays.read('c_1', 'p_3')).toBeUndefined();
    expect(await plays.waiting('c_2')).toEqual([]);
  });

  it('are added once, however often the request is sent', async () => {
    const { plays } = await redis.registry();
    await plays.add(play('p_1'), AUDIO);
    await plays.update('c_1', 'p_1', (now) => ({ ...now, state: 'playing' }));
    expect(await plays.add(play('p_1', { frames: 7 }), AUDIO)).toMatchObject({
      state: 'playing',
      frames: 50,
    });
    expect(await plays.waiting('c_1')).toHaveLength(1);
  });

  it('are taken, and cleared, also where nobody can be woken', async () => {
    const { plays } = await redis.registry();
    await redis.raw.call('ACL', 'SETUSER', 'default', '-publish');
    try {
      expect(await plays.add(play('p_1'), AUDIO)).toEqual(play('p_1'));
      expect(await plays.requestClear('c_1', 'p_1')).toMatchObject({ clearRequested: true });
    } finally {
      await redis.raw.call('ACL', 'SETUSER', 'default', '+publish');
    }
  });

  it('wait in a bounded number; one that was settled makes room', async () => {
    const { plays } = await redis.registry();
    for (let n = 0; n < 16; n += 1) await plays.add(play(`p_${n}`), AUDIO);
    await expect(plays.add(play('p_x'), AUDIO)).rejects.toMatchObject({ code: 'too_many_plays' });
    await plays.settle('c_1', 'p_3');
    await plays.add(play('p_x'), AUDIO);
    expect((await plays.waiting('c_1')).at(-1)?.playId).toBe('p_x');
  });

  it('wait in a bounded number of bytes', async () => {
    const { plays } = await redis.registry();
    const large = new Uint8Array(12 * 1024 * 1024);
    await plays.add(play('p_1'), large);
    await plays.add(play('p_2'), large);
    await expect(plays.add(play('p_3'), large)).rejects.toMatchObject({ code: 'too_many_plays' });
    await plays.update('c_1', 'p_1', (now) => ({ ...now, state: 'played' }));
    await plays.add(play('p_3'), large);
  });

  it('lose their audio when over, stay on the list until settled, and change no more', async () => {
    const { plays } = await redis.registry();
    await plays.add(play('p_1'), AUDIO);
    await plays.update('c_1', 'p_1', (now) => ({ ...now, state: 'cleared', playedFrames: 3 }));
    expect(await plays.audio('c_1', 'p_1')).toBeUndefined();
    await plays.update('c_1', 'p_1', (now) => ({ ...now, state: 'playing' }));
    const over = play('p_1', { state: 'cleared', playedFrames: 3 });
    expect(await plays.waiting('c_1')).toEqual([over]);
    await plays.settle('c_1', 'p_1');
    expect(await plays.waiting('c_1')).toEqual([]);
    expect(await plays.list('c_1')).toEqual([over]);
  });

  it('lose no change when two pods change at once', async () => {
    const pods = await Promise.all([redis.registry(), redis.registry()]);
    await pods[0].plays.add(play('p_1', { frames: 0 }), AUDIO);
    await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        pods[n % 2]?.plays.update('c_1', 'p_1', (now) => ({ ...now, frames: now.frames + 1 })),
      ),
    );
    expect(await pods[1].plays.read('c_1', 'p_1')).toMatchObject({ frames: 40 });
    expect(await pods[1].plays.update('c_1', 'p_9', (now) => now)).toBeUndefined();
  });

  it('are remembered in a bounded number, those that wait for certain', async () => {
    const { plays } = await redis.registry();
    await plays.add(play('p_first'), AUDIO);
    for (let n = 0; n < 105; n += 1) {
      await plays.add(play(`p_${n}`), AUDIO);
      await plays.update('c_1', `p_${n}`, (now) => ({ ...now, state: 'cleared' }));
      await plays.settle('c_1', `p_${n}`);
    }
    const kept = (await plays.list('c_1')).map(({ playId }) => playId);
    expect(kept).toHaveLength(100);
    expect([kept[0], kept[1], kept.at(-1)]).toEqual(['p_first', 'p_6', 'p_104']);
    expect(await plays.read('c_1', 'p_5')).toBeUndefined();
  });

  it('wake whoever listens, when added and when they are to be cleared', async () => {
    const [pod, worker] = await Promise.all([redis.registry(), redis.registry()]);
    const woken: string[] = [];
    await worker.listenForPlays((callId) => woken.push(callId));
    await pod.plays.add(play('p_1'), AUDIO);
    await until(() => woken.length === 1);
    expect(await pod.plays.requestClear('c_1', 'p_1')).toMatchObject({ clearRequested: true });
    await until(() => woken.length === 2);
    expect(woken).toEqual(['c_1', 'c_1']);
    expect(await worker.plays.callsWaiting(['c_0', 'c_1'])).toEqual(['c_1']);
    expect(await worker.plays.callsWaiting([])).toEqual([]);
  });

  it('know whether the host can play, once a worker has said so', async () => {
    const { plays } = await redis.registry();
    expect(await plays.hostCanPlay('c_1')).toBeUndefined();
    await plays.noteHost('c_1', true);
    expect(await plays.hostCanPlay('c_1')).toBe(true);
    await plays.noteHost('c_1', false);
    expect(await plays.hostCanPlay('c_1')).toBe(false);
  });

  it('expire, and a list forgets what expired', async () => {
    const { plays } = await redis.registry();
    await plays.add(play('p_1'), AUDIO);
    for (const name of ['plays', 'plays-waiting', 'play-order', 'play-audio']) {
      const ttlMs = await redis.raw.pttl(`earshot:{c_1}:${name}`);
      expect(ttlMs).toBeGreaterThan(23 * 3_600_000);
    }
    await redis.raw.del('earshot:{c_1}:plays');
    expect(await plays.waiting('c_1')).toEqual([]);
    expect(await redis.raw.exists('earshot:{c_1}:plays-waiting')).toBe(0);
  });
});
