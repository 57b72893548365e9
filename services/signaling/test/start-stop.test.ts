import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { CodedError } from '@earshot/async';
import type { EarshotEvent } from '@earshot/events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { withService } from '../src/calls/service-state.js';
import { Harness, WAIT } from './support/harness.js';
import { endItem, stateItem } from './support/notifications.js';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

describe('starting', () => {
  let harness: Harness;

  beforeEach(async () => {
    harness = await Harness.open();
  });

  afterEach(() => harness.close());

  async function failure(environment: Record<string, string>): Promise<unknown> {
    try {
      await harness.start({ environment });
    } catch (error) {
      return error;
    }
    return undefined;
  }

  it('fails clearly when the port is taken, and leaves nothing open', async () => {
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const error = await failure({ EARSHOT_LISTEN: `127.0.0.1:${port}` });
    expect(error).toBeInstanceOf(CodedError);
    expect(error).toMatchObject({ code: 'port_taken' });
    expect(String(error)).toContain(`127.0.0.1:${port}`);
    other.close();
  });

  it('fails clearly when Redis can’t be reached', async () => {
    const error = await failure({ REDIS_URL: '/nowhere/redis.sock' });
    expect(error).toMatchObject({ code: 'redis_unreachable' });
    expect(String(error)).toContain('/nowhere/redis.sock');
  });

  it('shows no password of a Redis that can’t be reached', async () => {
    const error = await failure({ REDIS_URL: 'redis://user:hunter2@127.0.0.1:1' });
    expect(error).toMatchObject({ code: 'redis_unreachable' });
    expect(String(error)).not.toContain('hunter2');
  });

  it('resumes calls that an earlier process left, with the events it had not published', async () => {
    await harness.consume();
    await harness.start();
    const firstHost = await harness.host({ hostId: 'host-a' });
    await harness.worker();
    const { id } = await harness.attachedCall();
    const leg = harness.graph.lastLeg;
    await vi.waitUntil(() => harness.eventsOf(id).length === 1, WAIT);
    await vi.waitUntil(async () => (await pendingOf(id)).length === 0, WAIT);
    await firstHost.close();
    await harness.stop();

    // What a process leaves that died after storing an end, and before publishing it.
    await harness.registry.updateCall(id, (record) =>
      withService({ ...record, signalingPosition: 2 }, { pendingEvents: [notPublished(id)] }),
    );
    await harness.registry.appendNotification(id, {
      raw: JSON.stringify({ value: [endItem(leg.id, 200, 5002)] }),
    });
    await harness.start();
    const host = await harness.host({ hostId: 'host-a' });
    const events = await harness.endOf(id);
    expect(events.map((event) => event.id)).toEqual([0, 1, 2, 3].map((n) => `${id}.s${n}`));
    await vi.waitUntil(() => host.released.length > 0, WAIT);
    expect(await pendingOf(id)).toEqual([]);
  });

  it('publishes an event again with the same id when it can’t know that it was published', async () => {
    await harness.consume();
    await harness.start();
    await harness.host();
    const { id } = (await harness.join()).body;
    const graphCallId = harness.graph.lastLeg.id;
    await harness.graph.notify([stateItem(graphCallId, 'established')]);
    await vi.waitUntil(() => harness.eventsOf(id).length === 1, WAIT);
    await vi.waitUntil(async () => (await pendingOf(id)).length === 0, WAIT);
    await harness.stop();

    const [first] = harness.eventsOf(id);
    if (first === undefined) throw new Error('no event');
    await harness.registry.updateCall(id, (record) =>
      withService(record, { pendingEvents: [first] }),
    );
    await harness.start();
    await vi.waitUntil(async () => (await pendingOf(id)).length === 0, WAIT);
    const callbackUri = harness.callbackUriNow();
    await harness.graph.notify([endItem(graphCallId, 200, 5002)], { callbackUri });
    const events = await harness.endOf(id);
    expect(events.map(({ position }) => position)).toEqual([0, 1, 2]);
  });

  async function pendingOf(callId: string): Promise<readonly EarshotEvent[]> {
    const record = await harness.registry.readCall(callId);
    const { pendingEvents } = Object(record?.service);
    return pendingEvents;
  }

  function notPublished(callId: string): EarshotEvent {
    return {
      version: 1,
      id: `${callId}.s1`,
      type: 'participant.joined',
      callId,
      epoch: 0,
      source: 'signaling',
      position: 1,
      mediaTimeMs: null,
      wallclock: '2026-11-23T20:00:00.000Z',
      participant: { id: 'p-ada', displayName: 'Ada' },
      sourceId: null,
      data: { isMuted: false, isInLobby: false, kind: 'user' },
    };
  }
});

describe('the process', () => {
  let harness: Harness;
  let child: ChildProcess | undefined;

  beforeAll(async () => {
    harness = await Harness.open();
  });

  afterEach(() => {
    child?.kill('SIGKILL');
  });

  afterAll(() => harness.close());

  function run(environment: Record<string, string>): {
    child: ChildProcess;
    message: Promise<unknown[]>;
  } {
    child = fork(MAIN, { env: { ...harness.environment(), ...environment }, silent: true });
    return { child, message: once(child, 'message') };
  }

  it('says where it is, and leaves when told to', async () => {
    const { child: running, message } = run({});
    const [ready] = await message;
    expect(ready).toEqual({
      type: 'ready',
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      hostLinkUrl: expect.stringMatching(/^ws:\/\/127\.0\.0\.1:\d+\/v1\/host-link$/),
    });
    const exit = once(running, 'exit');
    running.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
  });

  it('leaves when its parent is gone', async () => {
    const { child: running, message } = run({});
    await message;
    const exit = once(running, 'exit');
    running.disconnect();
    expect(await exit).toEqual([0, null]);
  });

  it('says why it can’t start, in one line and with a code', async () => {
    const { child: failing, message } = run({ EARSHOT_LISTEN: '0.0.0.0:0', EARSHOT_API_KEY: '' });
    let output = '';
    failing.stderr?.on('data', (chunk) => {
      output += String(chunk);
    });
    const exit = once(failing, 'close');
    expect((await message)[0]).toMatchObject({ type: 'failed', code: 'api_key_required' });
    expect((await exit)[0]).toBe(1);
    expect(output.trim().split('\n')).toHaveLength(1);
    expect(output).toContain('[api_key_required]');
  });
});
