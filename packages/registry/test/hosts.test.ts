import { beforeEach, describe, expect, it } from 'vitest';
import type { HostNews } from '../src/host-store.js';
import type { Registry } from '../src/registry.js';
import { until, useRedis } from './support.js';

const redis = useRedis();
const TTL_MS = 600_000;

function host(hostId: string, more: Partial<HostNews> = {}): HostNews {
  return { hostId, capacity: 10, activeCalls: 0, level: 'normal', draining: false, ...more };
}

describe('media hosts', () => {
  let one: Registry;
  let other: Registry;

  beforeEach(async () => {
    [one, other] = await Promise.all([redis.registry(), redis.registry()]);
  });

  it('are known to all processes, as they told last', async () => {
    await one.hosts.announce('p_1', [host('b'), host('a')], TTL_MS);
    await other.hosts.announce('p_2', [host('c', { rttMs: 3 })], TTL_MS);
    await one.hosts.announce('p_1', [host('a', { activeCalls: 4, level: 'overloaded' })], TTL_MS);
    await one.hosts.announce('p_1', [], TTL_MS);
    expect(await other.hosts.list()).toEqual([
      { ...host('a', { activeCalls: 4, level: 'overloaded' }), processId: 'p_1' },
      { ...host('b'), processId: 'p_1' },
      { ...host('c', { rttMs: 3 }), processId: 'p_2' },
    ]);
  });

  it('are forgotten when their process says nothing more of them', async () => {
    await one.hosts.announce('p_1', [host('a')], TTL_MS);
    await redis.raw.zadd('earshot:{hosts}:expiry', 1, 'a');
    expect(await other.hosts.list()).toEqual([]);
    expect(await redis.raw.keys('*hosts*')).toEqual([]);
  });

  it('are not taken from the process that they went to by the one that they left', async () => {
    await one.hosts.announce('p_1', [host('a')], TTL_MS);
    await other.hosts.announce('p_2', [host('a')], TTL_MS);
    await one.hosts.remove('p_1', 'a');
    expect(await one.hosts.list()).toMatchObject([{ hostId: 'a', processId: 'p_2' }]);
    await other.hosts.remove('p_2', 'a');
    expect(await one.hosts.list()).toEqual([]);
  });

  it('have calls looked at by whoever listens, the one that asks included', async () => {
    const heard: string[] = [];
    await one.listenForCalls((callId) => heard.push(`one ${callId}`));
    await other.listenForCalls((callId) => heard.push(`other ${callId}`));
    await one.wakeCall('c_1');
    await until(() => heard.length === 2);
    expect(heard.sort()).toEqual(['one c_1', 'other c_1']);
  });
});
