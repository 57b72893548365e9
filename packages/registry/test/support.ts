import { setTimeout as sleep } from 'node:timers/promises';
import { VirtualClock } from '@earshot/async';
import { initialCallModel } from '@earshot/call';
import type { TestRedis } from '@earshot/test-kit';
import { startTestRedis } from '@earshot/test-kit';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { CallRecord } from '../src/call-record.js';
import { Registry } from '../src/registry.js';

/** One Redis for a test file, emptied after each test, and registries on it. */
export function useRedis() {
  let server: TestRedis;
  let raw: Redis;
  const open: Registry[] = [];

  beforeAll(async () => {
    server = await startTestRedis();
    raw = new Redis(server.url);
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((registry) => registry.close()));
    await raw.flushall();
  });
  afterAll(async () => {
    raw.disconnect();
    await server.close();
  });

  return {
    /** For what only Redis itself can do, such as letting a key expire now. */
    get raw(): Redis {
      return raw;
    },
    get url(): string {
      return server.url;
    },
    /** As one pod would have it. */
    async registry(): Promise<Registry> {
      const registry = new Registry({ redisUrl: server.url, clock: new VirtualClock() });
      open.push(registry);
      await registry.ready();
      return registry;
    },
  };
}

export const LOCK_KEY = 'earshot:{c_1}:lock';
export const LEASE_KEY = 'earshot:{workers}:lease:c_1';

export function callRecord(callId = 'c_1', more: Partial<CallRecord> = {}): CallRecord {
  return {
    callId,
    version: 0,
    createdAtMs: 1_700_000_000_000,
    joinUrl: 'https://teams.microsoft.com/meet/1',
    tenantId: 't',
    attemptKey: `attempt-of-${callId}`,
    model: initialCallModel,
    signalingPosition: 0,
    ...more,
  };
}

/** Waits for what other connections do; the test's time limit ends it when it never comes true. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(2);
}

/** A promise and what settles it. */
export function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
