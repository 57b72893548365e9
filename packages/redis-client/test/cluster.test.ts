import type { TestCluster } from '@earshot/test-kit';
import { startTestCluster } from '@earshot/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RedisClient } from '../src/client.js';
import { connect, createClient, disconnect } from '../src/client.js';
import { LuaScript } from '../src/lua-script.js';

const SET = new LuaScript(`redis.call('SET', KEYS[1], ARGV[1]) return ARGV[1]`);

let cluster: TestCluster;
let client: RedisClient;

beforeAll(async () => {
  cluster = await startTestCluster({ replicas: 1 });
  client = createClient(cluster.url, { maxRetriesPerRequest: 1 });
  await connect(client);
});

afterAll(async () => {
  await disconnect(client);
  await cluster.close();
});

describe('a script on a cluster', () => {
  it('runs where its keys are, on every server', async () => {
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
      expect(await SET.run(client, [key], [key])).toBe(key);
      expect(await client.get(key)).toBe(key);
    }
  });

  it('is waited for until a replica has what it wrote', async () => {
    const fresh = new LuaScript(`redis.call('SET', KEYS[1], ARGV[1]) return 7`);
    expect(await fresh.runReplicated(client, ['{g}'], ['1'], 1)).toBe(7);
    expect(await fresh.runReplicated(client, ['{g}'], ['2'], 1)).toBe(7);
    await expect(fresh.runReplicated(client, ['{g}'], ['3'], 2)).rejects.toMatchObject({
      code: 'not_replicated',
    });
    expect(await client.get('{g}')).toBe('3');
  });

  it('says what is wrong with it', async () => {
    const broken = new LuaScript(`return redis.call('INCR', KEYS[1])`);
    await client.set('{h}', 'word');
    await expect(broken.runReplicated(client, ['{h}'], [], 1)).rejects.toThrow(/not an integer/);
  });
});
