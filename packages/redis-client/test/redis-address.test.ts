import { describe, expect, it } from 'vitest';
import { createClient } from '../src/client.js';
import { minReplicasOf, parseRedisUrl } from '../src/redis-address.js';

describe('parseRedisUrl', () => {
  it.each(['redis://localhost:6379/1', 'rediss://:secret@redis.example', '/run/redis.sock'])(
    'leaves %s to the driver',
    (url) => {
      expect(parseRedisUrl(url)).toEqual({ kind: 'single', url });
      expect(minReplicasOf(url)).toBe(0);
    },
  );

  it('reads addresses of a cluster', () => {
    const cluster = { kind: 'cluster', tls: false, minReplicas: 0 };
    expect(parseRedisUrl('redis+cluster://a:7000,b:7001')).toEqual({
      ...cluster,
      nodes: [
        { host: 'a', port: 7000 },
        { host: 'b', port: 7001 },
      ],
    });
    expect(parseRedisUrl('rediss+cluster://ada:p%40ss@[::1]:7000,b/?minReplicas=2')).toEqual({
      ...cluster,
      tls: true,
      minReplicas: 2,
      username: 'ada',
      password: 'p@ss',
      nodes: [
        { host: '::1', port: 7000 },
        { host: 'b', port: 6379 },
      ],
    });
    expect(parseRedisUrl('redis+cluster://:secret@a')).toEqual({
      ...cluster,
      password: 'secret',
      nodes: [{ host: 'a', port: 6379 }],
    });
  });

  it.each([
    'redis+cluster:a:1',
    'redis+cluster://',
    'redis+cluster://:secret@a:x',
    'redis+cluster://a:1,,b:2',
    'redis+cluster://%zz@a:1',
    'redis+cluster://a:1?minReplicas=many',
    'redis+cluster://a:1/0',
  ])('refuses %s, without showing it', (url) => {
    const open = () => createClient(url, { maxRetriesPerRequest: 1 });
    expect(open).toThrow(expect.objectContaining({ code: 'redis_unreachable' }));
    expect(open).not.toThrow(/secret|zz/);
  });
});
