import { VirtualClock } from '@earshot/async';
import { LossyLink } from '@earshot/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Registry } from '../src/registry.js';
import { callRecord, LOCK_KEY, useRedis } from './support.js';

const redis = useRedis();

describe('a step whose answer is lost is sent again, and', () => {
  let link: LossyLink;
  let registry: Registry;

  beforeEach(async () => {
    link = new LossyLink(redis.url);
    await link.open();
    registry = new Registry({ redisUrl: link.path, clock: new VirtualClock() });
    await registry.ready();
    // The scripts are loaded by then: a step is one command.
    await registry.createCall(callRecord('c_0'));
    await registry.appendNotification('c_0', { raw: 'warm' });
    await registry.takeNotifications('c_0', async () => {});
  });

  afterEach(async () => {
    await registry.close();
    await link.close();
  });

  it('takes off no notification that was not handled', async () => {
    await registry.createCall(callRecord());
    for (const raw of ['one', 'two', 'three']) await registry.appendNotification('c_1', { raw });
    const handled: string[] = [];
    await registry.takeNotifications('c_1', async ({ raw }) => {
      handled.push(raw);
      if (raw === 'one') link.swallowAnswerTo('{c_1}:notifications');
    });
    expect(link.swallowed).toBe(1);
    expect(handled).toEqual(['one', 'two', 'three']);
  });

  it('stores a notification once', async () => {
    await registry.createCall(callRecord());
    link.swallowAnswerTo('{c_1}:notifications');
    expect(await registry.appendNotification('c_1', { raw: 'one' })).toBe('duplicate');
    expect(link.swallowed).toBe(1);
    const handled: string[] = [];
    await registry.takeNotifications('c_1', async ({ raw }) => void handled.push(raw));
    expect(handled).toEqual(['one']);
  });

  it('knows its own lock', async () => {
    await registry.createCall(callRecord());
    await registry.appendNotification('c_1', { raw: 'one' });
    const handled: string[] = [];
    link.swallowAnswerTo(LOCK_KEY);
    await registry.takeNotifications('c_1', async ({ raw }) => void handled.push(raw));
    expect(link.swallowed).toBe(1);
    expect(handled).toEqual(['one']);
  });

  it('knows the call that it made itself', async () => {
    link.swallowAnswerTo('{c_1}:record');
    await registry.createCall(callRecord());
    expect(link.swallowed).toBe(1);
    expect(await registry.openCalls()).toContain('c_1');
    await expect(registry.createCall(callRecord())).rejects.toMatchObject({ code: 'call_exists' });
  });
});
