import { DEFAULT_LISTENING, listeningChangeSchema } from '@earshot/listening';
import { describe, expect, it } from 'vitest';
import { callRecord, until, useRedis } from './support.js';

const redis = useRedis();
const KEY = 'earshot:{c_1}:listening';
const PHRASES = listeningChangeSchema.parse({ phrases: { phrases: ['call me back'] } });

describe('listening settings', () => {
  it('are those of the first who says so, until they are changed part by part', async () => {
    const [a, b] = await Promise.all([redis.registry(), redis.registry()]);
    expect(await b.listening('c_1')).toBeUndefined();
    const initial = { ...DEFAULT_LISTENING, tones: ['beep'] as const };
    expect(await a.setListening('c_1', {}, initial)).toEqual(initial);
    expect(await b.setListening('c_1', {}, DEFAULT_LISTENING)).toEqual(initial);
    const changed = { ...initial, phrases: PHRASES.phrases };
    expect(await b.setListening('c_1', PHRASES)).toEqual(changed);
    expect(await a.listening('c_1')).toEqual(changed);
    expect(await a.setListening('c_1', { phrases: null, tones: [] })).toEqual(DEFAULT_LISTENING);
  });

  it('lose nothing when two pods change different parts at once', async () => {
    const [a, b] = await Promise.all([redis.registry(), redis.registry()]);
    await Promise.all([
      a.setListening('c_1', PHRASES),
      b.setListening('c_1', { tones: ['busy', 'dial'] }),
    ]);
    expect(await a.listening('c_1')).toEqual({
      ...DEFAULT_LISTENING,
      ...PHRASES,
      tones: ['busy', 'dial'],
    });
  });

  it('go with the record of a call that is over', async () => {
    const registry = await redis.registry();
    await registry.createCall(callRecord());
    await registry.setListening('c_1', {});
    await registry.updateCall('c_1', (call) => ({ ...call, endedAtMs: 1_700_000_000_001 }));
    expect(await redis.raw.pttl(KEY)).toBeLessThanOrEqual(24 * 3_600_000);
  });

  it('do not stay for ever, and count as none when they cannot be read', async () => {
    const registry = await redis.registry();
    await registry.setListening('c_1', {});
    expect(await redis.raw.pttl(KEY)).toBeGreaterThan(6 * 24 * 3_600_000);
    for (const text of ['{"phrases":7}', 'no JSON']) {
      await redis.raw.hset(KEY, 'phrases', text);
      expect(await registry.listening('c_1'), text).toBeUndefined();
    }
  });

  it('wake whoever listens, and are stored also where nobody can be woken', async () => {
    const [pod, worker] = await Promise.all([redis.registry(), redis.registry()]);
    const woken: string[] = [];
    await worker.onListeningSet((callId) => woken.push(callId));
    await pod.setListening('c_1', {});
    await until(() => woken.length === 1);
    await redis.raw.call('ACL', 'SETUSER', 'default', '-publish');
    try {
      await pod.setListening('c_2', PHRASES);
    } finally {
      await redis.raw.call('ACL', 'SETUSER', 'default', '+publish');
    }
    expect((await worker.listening('c_2'))?.phrases).toEqual(PHRASES.phrases);
    expect(woken).toEqual(['c_1']);
  });
});
