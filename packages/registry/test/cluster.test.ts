import { VirtualClock } from '@earshot/async';
import type { TestCluster } from '@earshot/test-kit';
import { startTestCluster } from '@earshot/test-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Registry } from '../src/registry.js';
import { callRecord } from './support.js';

let cluster: TestCluster;
let registry: Registry;

beforeAll(async () => {
  cluster = await startTestCluster();
  registry = new Registry({ redisUrl: cluster.url, clock: new VirtualClock() });
  await registry.ready();
});

afterAll(async () => {
  await registry.close();
  await cluster.close();
});

it('everything of the registry works on a Redis Cluster', async () => {
  const calls = Array.from({ length: 12 }, (_, i) => `c_${i}`);
  await Promise.all(calls.map((callId) => registry.createCall(callRecord(callId))));
  expect((await registry.listCalls({ limit: 50 })).calls).toHaveLength(12);
  const ended = await registry.updateCall('c_3', (record) => ({
    ...record,
    version: record.version + 1,
    endedAtMs: 1,
  }));
  expect(await registry.readCall('c_3')).toEqual(ended);
  expect((await registry.openCalls()).sort()).toEqual(calls.filter((id) => id !== 'c_3').sort());
  expect(await registry.callIdOfAttempt(ended.attemptKey)).toBe('c_3');
  expect(await registry.idempotent('key', 'c_1')).toBe('c_1');
  expect(await registry.idempotent('key', 'c_2')).toBe('c_1');

  await registry.heartbeatWorker({
    workerId: 'w_1',
    url: 'ws://w_1',
    load: 0,
    streams: 0,
    draining: false,
  });
  const placed = await registry.placeCall('c_1');
  expect(placed).toEqual({ workerId: 'w_1', url: 'ws://w_1', epoch: 1 });
  expect(await registry.claimLease('c_1', 'w_1', 1, 10_000)).toBe('ok');
  const lease = { callId: 'c_1', workerId: 'w_1', epoch: 1 };
  expect(await registry.leaseOf('c_1')).toEqual(lease);
  const position = {
    streamId: 1,
    kind: 'mixed',
    sourceId: null,
    codec: 'opus',
    durable: 7,
    closed: false,
  } as const;
  expect(await registry.storePositions(lease, 'm_1', [position])).toBe('ok');
  expect(await registry.positions('c_1', 'm_1')).toEqual([position]);

  const admission = registry.admission('app');
  const limits = { calls: 1, callsPerMonth: 10 };
  expect((await admission.take('c_1', 1, limits)).outcome).toBe('ok');
  expect((await admission.take('c_2', 1, limits)).outcome).toBe('too_many_calls');
  expect(await admission.giveBack('c_1')).toBe(true);
  const host = {
    hostId: 'h',
    capacity: 1,
    activeCalls: 0,
    level: 'normal',
    draining: false,
  } as const;
  await registry.hosts.announce('p_1', [host], 10_000);
  expect(await registry.hosts.list()).toEqual([{ ...host, processId: 'p_1' }]);

  await registry.bindSources('c_1', new Map([['11', [{ participantId: 'p_1', fromMs: 0 }]]]));
  expect(await registry.participantOfSource('c_1', '11')).toEqual({ participantId: 'p_1' });
  for (const raw of ['a', 'b']) await registry.appendNotification('c_1', { raw });
  const handled: string[] = [];
  await registry.takeNotifications('c_1', async ({ raw }) => void handled.push(raw));
  expect(handled).toEqual(['a', 'b']);
  const { id } = await registry.audit.append({ action: 'x', actor: 'a', outcome: 'ok' });
  expect((await registry.audit.list({ limit: 1 })).records[0]?.id).toBe(id);
  const claim = { digest: 'd', token: 't', atMs: 1 };
  expect(await registry.requests.claim('k', claim)).toEqual({ ...claim, answer: undefined });
  await registry.requests.answer('k', 't', 'yes');
  await registry.requests.giveUp('k', 't');
  expect((await registry.requests.claim('k', { ...claim, token: 'u' })).answer).toBe('yes');
  await registry.removeWorker('w_1');
  expect(await registry.workers()).toEqual([]);
});

it('a placement, and an entry of the audit log, counts only when as many replicas have it as the address asks for', async () => {
  const url = `${cluster.url}?minReplicas=1`;
  const careful = new Registry({ redisUrl: url, clock: new VirtualClock() });
  await careful.ready();
  const worker = { workerId: 'w_2', url: 'ws://w_2', load: 0, streams: 0, draining: false };
  await careful.heartbeatWorker(worker);
  // This cluster has no replicas.
  const refused = { code: 'not_replicated' };
  await expect(careful.placeCall('c_9')).rejects.toMatchObject(refused);
  const lease = { callId: 'c_9', workerId: 'w_2', epoch: 1 };
  await expect(careful.claimLease('c_9', 'w_2', 1, 10_000)).rejects.toMatchObject(refused);
  await expect(careful.storePositions(lease, 'm', [])).rejects.toMatchObject(refused);
  const entry = { action: 'x', actor: 'a', outcome: 'ok' } as const;
  await expect(careful.audit.append(entry)).rejects.toMatchObject(refused);
  await careful.close();
});

it('with minReplicas, a notification counts only once replicas have it, also when it comes again', async () => {
  const careful = new Registry({
    redisUrl: `${cluster.url}?minReplicas=1`,
    clock: new VirtualClock(),
  });
  await careful.ready();
  await careful.createCall(callRecord('c_r'));
  for (const attempt of [1, 2]) {
    const appending = careful.appendNotification('c_r', { raw: 'x', messageId: 'm' });
    await expect(appending, `attempt ${attempt}`).rejects.toMatchObject({ code: 'not_replicated' });
  }
  await careful.close();
});
