import type { Clock } from '@earshot/async';
import { VirtualClock } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HOST_GRACE_MS } from '../src/calls/duties.js';
import type { CallView } from '../src/rest/schemas.js';
import type { HostBehaviour, HostList, TestHost } from './support/harness.js';
import { Harness, WAIT } from './support/harness.js';
import { endItem, rosterItem, stateItem } from './support/notifications.js';

const ADA = { id: 'p-ada', name: 'Ada', sourceId: '101' };

describe('a call whose attempt fails', () => {
  let harness: Harness;
  let first: TestHost;
  let second: TestHost;

  beforeEach(async () => {
    harness = await Harness.open();
  });

  afterEach(() => harness.close());

  /** The first host takes calls before the second: it has fewer. */
  async function start(
    behaviour: HostBehaviour = {},
    environment: Record<string, string> = {},
    clock: Clock = systemClock,
  ): Promise<void> {
    await harness.start({ environment, clock });
    await harness.consume();
    first = await harness.host({ hostId: 'host-1', ...behaviour });
    second = await harness.host({ hostId: 'host-2' });
    second.link.sendHealth({ activeCalls: 1, level: 'normal' });
    await hasCalls(second, 1);
  }

  /** Waits until a host counts as so busy. */
  async function hasCalls({ hostId }: TestHost, activeCalls: number): Promise<void> {
    await vi.waitUntil(async () => {
      const { hosts } = (await harness.get<HostList>('/v1/hosts')).body;
      return hosts.some((host) => host.hostId === hostId && host.activeCalls === activeCalls);
    }, WAIT);
  }

  /** Waits until the call has been made in Graph so often. */
  async function made(times: number): Promise<void> {
    await vi.waitUntil(() => harness.graph.legs.length === times, WAIT);
  }

  function leg(index: number) {
    const found = harness.graph.legs[index];
    if (found === undefined) throw new Error(`no leg ${index}`);
    return found;
  }

  /** Waits until one call was counted so: that follows the change that others see. */
  async function counted(outcome: string): Promise<void> {
    const labels = { outcome };
    await vi.waitUntil(
      async () => (await harness.metric('earshot_rejoins_total', labels)) === 1,
      WAIT,
    );
  }

  async function established(id: string): Promise<CallView> {
    await harness.graph.notify([stateItem(harness.graph.lastLeg.id, 'established')]);
    return harness.reaches(id, 'established');
  }

  it('is made on another host within the same request when a host refuses', async () => {
    await start({ allocate: () => Promise.reject(new Error('no media port left')) });
    const { status, body } = await harness.join();
    expect(status).toBe(201);
    expect(body.media.hostId).toBe('host-2');
    expect(body.attempts).toMatchObject([
      { attempt: 1, hostId: 'host-1', cause: 'host_refused' },
      { attempt: 2, hostId: 'host-2' },
    ]);
    expect(harness.graph.legs).toHaveLength(1);
    await vi.waitUntil(
      () => harness.eventsOf(body.id).some(({ type }) => type === 'call.rejoined'),
      WAIT,
    );
    expect((await harness.admission()).month.used).toBe(1);
  });

  it('is joined again when Teams cannot talk to the host after 201', async () => {
    await start();
    const { id } = (await harness.join()).body;
    await harness.graph.notify([endItem(leg(0).id, 500, 7112)]);
    await made(2);
    expect(leg(1).callbackUri).not.toBe(leg(0).callbackUri);
    expect(second.allocated).toEqual([id]);
    const call = await established(id);
    expect(call.media.hostId).toBe('host-2');
    expect(call.attempts[0]).toMatchObject({ cause: 'ended_by_teams', resultSubcode: 7112 });
    expect(call.result).toBeUndefined();
    await vi.waitUntil(() => first.released.length === 1, WAIT);
    expect(await harness.admission()).toMatchObject({ calls: { used: 1 }, month: { used: 2 } });
    await counted('rejoined');
  });

  it('is joined again when its media break, and those in it are told to have left', async () => {
    await start();
    await harness.worker();
    const { id, graphCallId } = await harness.attachedCall();
    await harness.graph.notify([rosterItem(graphCallId, [ADA])]);
    await harness.graph.notify([endItem(graphCallId, 410, 301005)]);
    await made(2);
    await established(id);
    await harness.graph.notify([rosterItem(leg(1).id, [{ ...ADA, sourceId: '7' }])]);
    const order = await vi.waitUntil(() => second.attached[0], WAIT);
    expect(order).toMatchObject({ callId: id, epoch: 2 });
    await vi.waitUntil(async () => (await harness.call(id)).participants.length === 1, WAIT);
    expect((await harness.call(id)).participants[0]?.sourceIds).toEqual(['7']);
    const types = await vi.waitUntil(() => {
      const told = harness.eventsOf(id).map(({ type }) => type);
      return told.filter((type) => type === 'participant.joined').length === 2 && told;
    }, WAIT);
    const rejoined = types.indexOf('call.rejoined');
    expect(types.indexOf('participant.left')).toBeLessThan(rejoined);
    expect(types.indexOf('participant.left')).toBeGreaterThan(0);
    expect(types.lastIndexOf('participant.joined')).toBeGreaterThan(rejoined);
    expect(types).not.toContain('call.ended');
  });

  it('has its leg deleted before the next one is made when the host lost the audio', async () => {
    await start();
    await harness.worker();
    const { id } = await harness.attachedCall();
    first.link.sendMediaState({ mediaId: `m-${id}`, state: 'failed', detail: 'media_lost' });
    await made(2);
    const methods = harness.graph.requests.map(({ method }) => method);
    expect(methods).toEqual(['POST', 'DELETE', 'POST']);
    expect(harness.graph.legs.map(({ alive }) => alive)).toEqual([false, true]);
    // What that host goes on to say is about nothing any more.
    first.link.sendMediaState({ mediaId: `m-${id}`, state: 'failed', detail: 'media_lost' });
    await established(id);
    expect((await harness.call(id)).attempts).toHaveLength(2);
  });

  it('hears nothing from callbacks of the attempt before', async () => {
    await start();
    const { id } = (await harness.join()).body;
    const before = leg(0);
    await harness.graph.notify([endItem(before.id, 500, 1203002)]);
    await made(2);
    const late = [stateItem(before.id, 'established'), rosterItem(before.id, [ADA])];
    for (const item of late) await harness.graph.notify([item], { leg: before });
    await harness.graph.notify([endItem(before.id, 200, 5300)], { leg: before });
    await established(id);
    expect((await harness.call(id)).participants).toEqual([]);
    expect(leg(1).alive).toBe(true);
  });

  it('is joined again when its host was lost before anybody heard it', async () => {
    const clock = new VirtualClock();
    await start({}, {}, clock);
    const { id } = (await harness.join()).body;
    await established(id);
    await harness.disconnect(first);
    // No longer: the next attempt has its time, too.
    await harness.pass(clock, HOST_GRACE_MS);
    await made(2);
    expect(leg(0).alive).toBe(false);
    const call = await established(id);
    expect(call.attempts).toMatchObject([{ hostId: 'host-1', cause: 'host_lost' }, {}]);
    await harness.graph.notify([endItem(leg(1).id, 200, 5001)], { leg: leg(1) });
    await harness.reaches(id, 'terminated');
    await vi.waitUntil(async () => {
      await harness.pass(clock, 4_000);
      return (await harness.registry.readCall(id))?.endedAtMs !== undefined;
    }, WAIT);
  });

  it('ends as it did, and says so, when there is no other host', async () => {
    await start();
    await harness.disconnect(second);
    const { id } = (await harness.join()).body;
    await harness.graph.notify([endItem(leg(0).id, 500, 7112)]);
    const { result } = await harness.reaches(id, 'terminated');
    expect(result).toMatchObject({ cause: 'ended_by_teams', resultSubcode: 7112 });
    expect(result?.reason).toMatch(/No other media host could take it\.$/);
    expect(harness.graph.legs).toHaveLength(1);
    await counted('no_other_host');
    await harness.closed(id);
    expect((await harness.admission()).calls.used).toBe(0);
  });

  it('ends when a second host fails it too', async () => {
    await start();
    const third = await harness.host({ hostId: 'host-3' });
    third.link.sendHealth({ activeCalls: 5, level: 'normal' });
    await hasCalls(third, 5);
    const { id } = (await harness.join()).body;
    await harness.graph.notify([endItem(leg(0).id, 500, 7112)]);
    await made(2);
    await harness.graph.notify([endItem(leg(1).id, 500, 7106)], { leg: leg(1) });
    const { result, attempts } = await harness.reaches(id, 'terminated');
    expect(result).toMatchObject({ retryClass: 'onceOnAnotherHost', resultSubcode: 7106 });
    expect(attempts).toHaveLength(2);
    await harness.closed(id);
    expect(harness.graph.legs).toHaveLength(2);
    expect(third.allocated).toEqual([]);
    await counted('second_host_failed');
  });

  it.each([
    ['a participant removed the bot', 200, 5300],
    ['consent is missing', 403, 7504],
    ['Teams has too many calls', 500, 8530],
  ])('is not joined again when %s', async (_, code, subcode) => {
    await start();
    const { id } = (await harness.join()).body;
    await harness.graph.notify([endItem(leg(0).id, code, subcode)]);
    await harness.reaches(id, 'terminated');
    await harness.closed(id);
    expect(harness.graph.legs).toHaveLength(1);
  });

  it('is not joined again when Graph no longer knew it: somebody ended it', async () => {
    await start();
    await harness.worker();
    const { id } = await harness.attachedCall();
    leg(0).alive = false;
    first.link.sendMediaState({ mediaId: `m-${id}`, state: 'failed', detail: 'media_lost' });
    const { result } = await harness.reaches(id, 'terminated');
    expect(result?.cause).toBe('media_failed');
    await harness.closed(id);
    expect(harness.graph.legs).toHaveLength(1);
    await counted('call_gone');
  });

  it('is not joined again when that is switched off', async () => {
    await start({}, { EARSHOT_REJOIN: 'never' });
    const { id } = (await harness.join()).body;
    await harness.graph.notify([endItem(leg(0).id, 500, 7112)]);
    await harness.reaches(id, 'terminated');
    await harness.closed(id);
    expect(harness.graph.legs).toHaveLength(1);
  });

  it('ends at once when it is hung up while it waits for its old leg to go', async () => {
    const clock = new VirtualClock();
    await start({}, {}, clock);
    await harness.worker();
    const { id } = await harness.attachedCall();
    harness.graph.answerNext('delete', { status: 503 });
    first.link.sendMediaState({ mediaId: `m-${id}`, state: 'failed', detail: 'media_lost' });
    await vi.waitUntil(() => harness.graph.count('DELETE', leg(0).id) > 0, WAIT);
    await harness.request('DELETE', `/v1/calls/${id}`);
    await vi.waitUntil(async () => {
      await harness.pass(clock, 1_000);
      return !leg(0).alive;
    }, WAIT);
    const { result } = await harness.reaches(id, 'terminated');
    expect(result?.cause).toBe('hung_up');
    expect(harness.graph.legs).toHaveLength(1);
  });
});
