import { VirtualClock } from '@earshot/async';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Harness, JOIN_URL, WAIT } from './support/harness.js';
import type { Attendee } from './support/notifications.js';
import { endItem, rosterItem, stateItem } from './support/notifications.js';

const MINUTE_MS = 60_000;

describe('a bot in a meeting', () => {
  let harness: Harness;
  let clock: VirtualClock;

  beforeEach(async () => {
    harness = await Harness.open();
    clock = new VirtualClock();
    await harness.start({ clock, environment: { EARSHOT_AUTO_LEAVE_ALONE_SECONDS: '300' } });
    await harness.host();
    await harness.worker();
  });

  afterEach(() => harness.close());

  async function joined(autoLeave: Record<string, unknown> = {}) {
    const { id } = (await harness.join({ joinUrl: JOIN_URL, autoLeave })).body;
    const { id: graphCallId } = harness.graph.lastLeg;
    const self = (await harness.registry.readCall(id))?.model.myParticipantId ?? '';
    const bot: Attendee = { id: self, name: 'Bot', sourceId: '1', kind: 'application' };
    return { id, graphCallId, bot };
  }

  const ada: Attendee = { id: 'p-ada', name: 'Ada', sourceId: '213' };

  it('waits in the lobby, and tells so', async () => {
    await harness.consume();
    const { id, graphCallId, bot } = await joined({ lobbySeconds: 600 });
    await harness.graph.notify([rosterItem(graphCallId, [{ ...bot, inLobby: true }])]);
    const waiting = await vi.waitUntil(async () => {
      const call = await harness.call(id);
      return call.lobby?.state === 'waiting' && call;
    }, WAIT);
    expect(waiting.autoLeave?.next?.rule).toBe('lobby');
    await harness.graph.notify([
      stateItem(graphCallId, 'established'),
      rosterItem(graphCallId, [bot, ada]),
    ]);
    await vi.waitUntil(async () => (await harness.call(id)).lobby?.state === 'admitted', WAIT);
    await harness.graph.notify([endItem(graphCallId, 200, 5300)]);
    const events = await harness.endOf(id);
    expect(events.filter(({ type }) => type === 'call.lobby').map(({ data }) => data)).toEqual([
      { state: 'waiting' },
      { state: 'admitted' },
    ]);
    expect(events.at(-1)).toMatchObject({
      type: 'call.ended',
      data: { cause: 'ended_by_teams', kind: 'removed', retryClass: 'never' },
    });
    expect((await harness.call(id)).result).toMatchObject({
      cause: 'ended_by_teams',
      kind: 'removed',
    });
  });

  it('that is not admitted says so', async () => {
    const { id, graphCallId, bot } = await joined();
    await harness.graph.notify([rosterItem(graphCallId, [{ ...bot, inLobby: true }])]);
    await harness.graph.notify([endItem(graphCallId, 200, 5855)]);
    expect((await harness.reaches(id, 'terminated')).result?.kind).toBe('not_admitted');
  });

  it('leaves when it has been alone, as the service is set', async () => {
    const { id, graphCallId, bot } = await joined();
    await harness.graph.notify([stateItem(graphCallId, 'established')]);
    await harness.graph.notify([rosterItem(graphCallId, [bot, ada])]);
    await harness.graph.notify([rosterItem(graphCallId, [bot])]);
    await vi.waitUntil(
      async () => (await harness.call(id)).autoLeave?.next?.rule === 'alone',
      WAIT,
    );
    await harness.pass(clock, 5 * MINUTE_MS - 1_000);
    expect((await harness.call(id)).state).toBe('established');
    await harness.pass(clock, 1_000);
    const { result } = await harness.reaches(id, 'terminated');
    expect(result).toMatchObject({ cause: 'auto_left', kind: 'auto_left', rule: 'alone' });
    await vi.waitUntil(() => !harness.graph.lastLeg.alive, WAIT);
  });

  it('stays while somebody speaks, and leaves after a silence', async () => {
    const { id, graphCallId, bot } = await joined({ silentSeconds: 120 });
    await harness.graph.notify([
      stateItem(graphCallId, 'established'),
      rosterItem(graphCallId, [bot, ada]),
    ]);
    await vi.waitUntil(async () => (await harness.call(id)).media.attached, WAIT);
    await harness.pass(clock, MINUTE_MS);
    await harness.registry.noteSpeech(id, clock.wallclockMs());
    await harness.pass(clock, 2 * MINUTE_MS - 4_000);
    expect((await harness.call(id)).state).toBe('established');
    await harness.pass(clock, 4_000);
    expect((await harness.reaches(id, 'terminated')).result).toMatchObject({ rule: 'silent' });
  });

  it('refuses limits that are none', async () => {
    const answer = await harness.join({ joinUrl: JOIN_URL, autoLeave: { aloneSeconds: 0 } });
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});
