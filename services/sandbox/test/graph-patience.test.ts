import { VirtualClock } from '@earshot/async';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Stage } from './test-stage.js';
import { openStage } from './test-stage.js';

const MINUTE_MS = 60_000;

let stage: Stage;
/** Stands still but where a test moves it. */
const clock = new VirtualClock(Date.now());

beforeAll(async () => {
  stage = await openStage({ clock });
  vi.stubGlobal('fetch', stage.fetch);
});

afterAll(async () => {
  vi.unstubAllGlobals();
  await stage.close();
});

function blob(key: string): string {
  return stage.sandbox.mediaHost.allocate(`c_${key}`).blob;
}

/** Has a call created and gives it the time to be set up. */
async function call(joinUrl: string, key: string, itsBlob = blob(key)): Promise<string> {
  const graphCallId = await stage.create(joinUrl, key, itsBlob);
  clock.advance(1_000);
  return graphCallId;
}

describe('what Graph finds wrong after it has accepted a call', () => {
  it('is a thread that it does not know', async () => {
    const { bot } = stage;
    const elsewhere = stage.joinUrl().replace(/meeting_\w+/, 'meeting_nowhere');
    await call(elsewhere, 'lost');
    const end = await bot.untilState('lost', 'terminated');
    expect(end).toMatchObject({
      changeType: 'deleted',
      data: { resultInfo: { code: 400, subcode: 8527 } },
    });
    expect(bot.states('lost')).toEqual(['establishing', 'terminated']);
  });

  it('is a blob of no media host', async () => {
    const { bot } = stage;
    await call(stage.joinUrl(), 'blobless', 'bm8=');
    const end = await bot.untilState('blobless', 'terminated');
    expect(end.data).toMatchObject({ resultInfo: { code: 500, subcode: 7112 } });
  });

  it('is a blob that was used before', async () => {
    const { bot } = stage;
    const used = blob('twice');
    await call(stage.joinUrl(), 'once', used);
    await bot.untilState('once', 'established');
    await call(stage.joinUrl(), 'twice', used);
    const end = await bot.untilState('twice', 'terminated');
    expect(end.data).toMatchObject({ resultInfo: { code: 500, subcode: 7112 } });
    expect(bot.states('once')).toEqual(['establishing', 'established']);
  });

  it('is what a meeting was made to fail with', async () => {
    const { bot } = stage;
    const setupFailure = { code: 500, subcode: 1203002 };
    await stage.sandbox.addMeeting({
      name: 'bad',
      durationMs: 500,
      participants: [],
      setupFailure,
    });
    await call(stage.joinUrl('bad'), 'bad');
    const end = await bot.untilState('bad', 'terminated');
    expect(end.data).toMatchObject({ resultInfo: setupFailure });
  });
});

describe("Graph's patience", () => {
  /** A call into a long meeting of its own, established. */
  async function openCall(key: string, meeting: object = {}): Promise<string> {
    const long = { name: key, durationMs: 180 * MINUTE_MS, participants: [] };
    await stage.sandbox.addMeeting({ ...long, ...meeting });
    const graphCallId = await call(stage.joinUrl(key), key);
    await stage.bot.untilState(key, 'established');
    return graphCallId;
  }

  it('ends after 45 minutes without a keepAlive, counted from the last one', async () => {
    const graphCallId = await openCall('silent');
    const { bot, graph, sandbox } = stage;
    clock.advance(40 * MINUTE_MS);
    await graph.keepAlive({ tenantId: sandbox.ready.tenantId, graphCallId });
    clock.advance(44 * MINUTE_MS);
    expect(bot.states('silent')).toEqual(['establishing', 'established']);
    clock.advance(MINUTE_MS);
    const end = await bot.untilState('silent', 'terminated');
    expect(end.data).toMatchObject({ resultInfo: { code: 408, subcode: 8537 } });
    expect(bot.states('silent')).toEqual(['establishing', 'established', 'terminated']);
  });

  it('keeps a bot in the lobby until it is let in, and gives it nothing before', async () => {
    const participants = [{ key: 'ada', displayName: 'Ada', audio: 'ada.opus' }];
    await openCall('lobby', { lobby: { admitAfterMs: 5_000 }, participants });
    const { bot } = stage;
    await bot.callbacks.first(() => bot.rosters('lobby').length === 1);
    expect(bot.rosters('lobby')).toMatchObject([[{ isInLobby: true, mediaStreams: [] }]]);
    expect(bot.of('lobby')[1]?.data).toMatchObject({ mediaState: { audio: 'inactive' } });
    clock.advance(5_000);
    await bot.callbacks.first(() => bot.rosters('lobby').length === 3);
    expect(bot.rosters('lobby').at(-1)).toMatchObject([
      { isInLobby: false },
      { info: { identity: { user: { displayName: 'Ada' } } } },
    ]);
    expect(bot.states('lobby')).toEqual(['establishing', 'established', 'established']);
  });

  it('removes a bot that nobody lets in', async () => {
    await openCall('outside', { lobby: {} });
    clock.advance(15 * MINUTE_MS);
    const end = await stage.bot.untilState('outside', 'terminated');
    expect(end.data).toMatchObject({ resultInfo: { code: 200, subcode: 5855 } });
  });

  it('gives a callback up in the end, and goes on with the next', async () => {
    const graphCallId = await openCall('deaf');
    const { bot, graph, sandbox } = stage;
    await bot.callbacks.first(() => bot.rosters('deaf').length === 1);
    bot.answers.push(403);
    const { tenantId } = sandbox.ready;
    const call = { tenantId, graphCallId, media: 'appHosted' } as const;
    await graph.mute(call);
    await graph.unmute(call);
    await bot.callbacks.first(() => bot.rosters('deaf').length === 2);
    expect(bot.rosters('deaf').map(([self]) => self?.isMuted)).toEqual([false, false]);
    expect(bot.answers).toEqual([]);
  });
});
