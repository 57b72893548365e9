import { VirtualClock } from '@earshot/async';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { LinkedStage, LinkedStageOptions } from './linked-stage.js';
import { openLinkedStage } from './linked-stage.js';
import type { ParticipantData } from './test-bot.js';
import type { HeardLink, HeardStream } from './test-worker.js';

/** From the creation of a call until the bot is in. */
const SET_UP_MS = 130;

let stage: LinkedStage;

async function open(options: LinkedStageOptions): Promise<void> {
  stage = await openLinkedStage(options);
  vi.stubGlobal('fetch', stage.fetch);
}

/** One that is over no sooner than any test that joins it: Ada talks from its start. */
async function longMeeting(): Promise<string> {
  const ada = { key: 'ada', displayName: 'Ada', audio: 'ada.opus' };
  await stage.sandbox.addMeeting({ name: 'long', durationMs: 3_600_000, participants: [ada] });
  return stage.joinUrl('long');
}

async function close(): Promise<void> {
  vi.unstubAllGlobals();
  await stage.close();
}

/** Ada talks all the time; frame n is sequence n. */
const ADA = adasFrames(200);

function adasFrames(count: number): object[] {
  return Array.from({ length: count }, (_, n) => ({ number: n, sequence: n, timeMs: n * 20 }));
}

/** Bob: 10–14 and 98–99 missing, 50–69 muted. Muting takes no sequence, loss does. */
const BOB = Array.from({ length: 100 }, (_, n) => n)
  .filter((n) => !(n >= 50 && n < 70))
  .map((n, sequence) => ({ number: n, sequence, timeMs: 1_000 + n * 20 }))
  .filter(({ number: n }) => !(n >= 10 && n < 15) && n < 98);

function framesOf(stream: Pick<HeardStream, 'frames'> | undefined): object[] {
  return (stream?.frames ?? []).map(({ number, sequence, timeMs }) => ({
    number,
    sequence,
    timeMs,
  }));
}

function streamsOf(
  link: HeardLink | undefined,
): [ada: HeardStream | undefined, bob: HeardStream | undefined] {
  const streams = [...(link?.streams.values() ?? [])];
  const of = (sourceId: string): HeardStream | undefined =>
    streams.find((stream) => stream.sourceId === sourceId);
  return [of('201'), of('777')];
}

function expectWholeMeeting(link: HeardLink | undefined): void {
  const [ada, bob] = streamsOf(link);
  expect(framesOf(ada)).toEqual(ADA);
  expect(framesOf(bob)).toEqual(BOB);
  expect(ada?.frames.every(({ speaker }) => speaker === 1)).toBe(true);
  expect(bob?.frames.every(({ speaker }) => speaker === 2)).toBe(true);
  expect([ada?.nextSequence, bob?.nextSequence]).toEqual([200, 80]);
}

function names(roster: readonly ParticipantData[]): string[] {
  return roster.map(({ info, isMuted }) => {
    const [facet] = Object.entries(info.identity).filter(([name]) => !name.startsWith('@'));
    const identity = facet?.[1];
    const name = typeof identity === 'object' ? identity.displayName : undefined;
    return `${facet?.[0]} ${name}${isMuted ? ' (muted)' : ''}`;
  });
}

const BOT = 'application Earshot (sandbox app)';

describe('a whole call', () => {
  beforeAll(() => open({ speed: 50 }));
  afterAll(close);

  it('is told, heard to the last frame, and ends by itself', async () => {
    const { bot, worker, mediaStates, graph, sandbox } = stage;
    const { graphCallId } = await stage.join(stage.joinUrl(), 'whole');
    await bot.untilState('whole', 'terminated');
    await worker.byes.first(({ hello }) => hello.callId === 'c_whole');

    expect(bot.states('whole')).toEqual(['establishing', 'established', 'terminated']);
    expect(bot.of('whole').at(-1)).toMatchObject({
      changeType: 'deleted',
      resource: `/app/calls/${graphCallId}`,
      resourceUrl: `/communications/calls/${graphCallId}`,
      data: { '@odata.type': '#microsoft.graph.call', resultInfo: { code: 200, subcode: 5002 } },
    });
    expect(bot.refused).toEqual([]);
    const [link, ...others] = worker.links.filter(({ hello }) => hello.callId === 'c_whole');
    expect(others).toEqual([]);
    expectWholeMeeting(link);
    expect(link).toMatchObject({
      discarded: [],
      bye: 'callEnded',
      hello: { epoch: 1, virtualTime: true },
    });
    expect(mediaStates.items).toContain('active');
    await expect(
      graph.get({ tenantId: sandbox.ready.tenantId, graphCallId }),
    ).rejects.toMatchObject({
      status: 404,
    });
  });

  it('shows each change of the roster in full, with growing numbers and the bot in it', async () => {
    const { bot } = stage;
    await stage.join(stage.joinUrl(), 'roster');
    await bot.untilState('roster', 'terminated');
    const rosters = bot.rosters('roster');
    expect(rosters.map(names)).toEqual([
      [BOT],
      [BOT, 'user Ada'],
      [BOT, 'user Ada', 'guest Bob'],
      [BOT, 'user Ada', 'guest Bob (muted)'],
      [BOT, 'user Ada', 'guest Bob'],
      [BOT, 'user Ada'],
      [BOT],
    ]);
    expect(rosters.map(([first]) => first?.rosterSequenceNumber)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const [, ada, bob] = rosters[2] ?? [];
    expect(ada).toMatchObject({
      '@odata.type': '#microsoft.graph.participant',
      isInLobby: false,
      info: { '@odata.type': '#microsoft.graph.participantInfo' },
      mediaStreams: [{ mediaType: 'audio', sourceId: '201', direction: 'sendReceive' }],
    });
    expect(bob?.mediaStreams[0]?.sourceId).toBe('777');
    expect(new Set(rosters.flat().map(({ id }) => id)).size).toBe(3);
    const { changeType, resourceUrl } = bot.of('roster').find(({ data }) => Array.isArray(data))!;
    expect(changeType).toBe('updated');
    expect(resourceUrl).toMatch(/^\/communications\/calls\/[\da-f-]{36}\/participants$/);
  });

  it('signs each callback for the bot and the tenant, with the headers of the real service', async () => {
    const { bot, sandbox } = stage;
    await stage.join(stage.joinUrl(), 'headers');
    await bot.untilState('headers', 'terminated');
    const callbacks = bot.of('headers');
    for (const { claims, headers } of callbacks) {
      expect(claims).toMatchObject({
        iss: 'https://api.botframework.com',
        aud: sandbox.ready.clientId,
        tid: sandbox.ready.tenantId,
      });
      expect(headers['user-agent']).toBe('Microsoft-Skype/3.0,(Calling/1.0)');
      expect(headers['content-type']).toContain('application/json');
    }
    const ids = callbacks.map(({ headers }) => headers['x-microsoft-skype-message-id']);
    expect(new Set(ids).size).toBe(callbacks.length);
    const chains = callbacks.map(({ headers }) => headers['x-microsoft-skype-chain-id']);
    expect(new Set(chains).size).toBe(1);
  });

  it('gives two bots a meeting each, at the same time', async () => {
    const { bot, worker } = stage;
    await Promise.all([
      stage.join(stage.joinUrl(), 'first'),
      stage.join(stage.joinUrl(), 'second'),
    ]);
    await Promise.all(['first', 'second'].map((key) => bot.untilState(key, 'terminated')));
    for (const key of ['first', 'second']) {
      const link = await worker.byes.first(({ hello }) => hello.callId === `c_${key}`);
      expectWholeMeeting(link);
      expect(bot.states(key)).toEqual(['establishing', 'established', 'terminated']);
    }
  });

  it('is found by the short URL too', async () => {
    const { bot, worker } = stage;
    const [meeting] = stage.sandbox.meetings();
    await stage.join(meeting?.shortJoinUrl ?? '', 'short');
    await bot.untilState('short', 'terminated');
    expectWholeMeeting(await worker.byes.first(({ hello }) => hello.callId === 'c_short'));
  });

  it('goes on telling when the bot fails for a while, in order and nothing twice', async () => {
    const { bot } = stage;
    bot.answers.push(503, 500, 429);
    await stage.join(stage.joinUrl(), 'failing');
    await bot.untilState('failing', 'terminated');
    expect(bot.states('failing')).toEqual(['establishing', 'established', 'terminated']);
    expect(bot.rosters('failing')).toHaveLength(7);
    expect(bot.answers).toEqual([]);
  });
});

describe('a call in real time', () => {
  let joinUrl: string;

  beforeAll(async () => {
    await open({});
    joinUrl = await longMeeting();
  });
  afterAll(close);

  it('ends with the bot when it leaves, in real time', async () => {
    const { bot, worker, graph, sandbox } = stage;
    const { graphCallId } = await stage.join(joinUrl, 'left');
    await worker.heard.first(() => worker.heard.items.length >= 5);
    await graph.delete({ tenantId: sandbox.ready.tenantId, graphCallId });
    const link = await worker.byes.first(({ hello }) => hello.callId === 'c_left');
    const end = await bot.untilState('left', 'terminated');

    expect(bot.states('left')).toEqual([
      'establishing',
      'established',
      'terminating',
      'terminated',
    ]);
    expect(end.data).toMatchObject({ resultInfo: { code: 200, subcode: 7000 } });
    expect(link.bye).toBe('callEnded');
    expect(link.hello.virtualTime).toBe(false);
    const [ada] = streamsOf(link);
    const count = ada?.frames.length ?? 0;
    expect(count).toBeGreaterThan(0);
    // The meeting begins when the bot is in, a little after the media clock did.
    const beganMs = ada?.frames[0]?.timeMs ?? 0;
    const frames = ada?.frames.map((frame) => ({ ...frame, timeMs: frame.timeMs - beganMs }));
    expect(framesOf({ frames: frames ?? [] })).toEqual(adasFrames(count));
    expect(ada?.nextSequence).toBe(count);
    // Ticks beyond 2^53, as the real platform's.
    expect(BigInt(link.hello.mediaEpochTicks) > 2n ** 53n).toBe(true);
  });

  it('stops giving audio when it is released', async () => {
    const { worker, hostLink, sandbox, mediaStates } = stage;
    const { mediaId } = await stage.join(joinUrl, 'released');
    const before = worker.heard.items.length;
    await worker.heard.first(() => worker.heard.items.length >= before + 2);
    hostLink.release(sandbox.mediaHost.hostId, mediaId);
    const link = await worker.byes.first(({ hello }) => hello.callId === 'c_released');
    expect(link.bye).toBe('released');
    await mediaStates.first((state) => state === 'ended released');
    expect(sandbox.mediaHost.stats.activeCalls).toBe(0);
  });
});

describe('a media link in trouble', () => {
  afterEach(close);

  it.each([
    ['where the worker says that it is', true],
    ['where it was last known to be, marked as a replay', false],
  ])('goes on after its link broke, %s', async (_name, resumes) => {
    await open({ speed: 20, creditFrames: 40 });
    const { bot, worker, mediaStates } = stage;
    worker.resumes = resumes;
    await stage.join(stage.joinUrl(), 'broken');
    await worker.heard.first(() => worker.links[0]?.streams.size === 2);
    worker.acknowledges = false;
    const [first] = worker.links;
    const heardBefore = worker.heard.items.length;
    await worker.heard.first(() => worker.heard.items.length > heardBefore);
    worker.acknowledges = true;
    first?.session.close(4500, 'test');
    await bot.untilState('broken', 'terminated');
    await worker.byes.first(({ hello }) => hello.callId === 'c_broken');

    const [, second] = worker.links;
    expect(worker.links).toHaveLength(2);
    expect(second?.hello.mediaEpochTicks).toBe(first?.hello.mediaEpochTicks);
    expect(second?.discarded).toEqual([]);
    expect(mediaStates.items).toContain('inactive link_interrupted');
    const before = streamsOf(first);
    const after = streamsOf(second);
    for (const [speaker, expected] of [ADA, BOB].entries()) {
      const heard = before[speaker]?.frames ?? [];
      const again = after[speaker]?.frames ?? [];
      const last = heard.at(-1)?.sequence ?? -1;
      const replayed = again.filter(({ sequence }) => sequence <= last);
      expect(framesOf({ frames: [...heard, ...again.slice(replayed.length)] })).toEqual(expected);
      expect(again[0]?.sequence).toBeGreaterThanOrEqual(after[speaker]?.firstSequence ?? 0);
      if (resumes) expect(replayed).toEqual([]);
      else expect(replayed.every(({ isReplayed }) => isReplayed)).toBe(true);
    }
    if (!resumes) expect(after[0]?.frames[0]?.isReplayed).toBe(true);
  });

  it('goes to the newest epoch, though the worker before was slow to let go', async () => {
    await open({});
    const { worker, sandbox } = stage;
    const { mediaId } = await stage.join(await longMeeting(), 'moved');
    const [first] = worker.links;
    const attach = (epoch: number): Promise<void> =>
      sandbox.mediaHost.attach(mediaId, {
        workerUrl: stage.workerUrl,
        token: `c_moved.${epoch}`,
        epoch,
      });
    const results = await Promise.allSettled([attach(2), attach(3)]);
    expect(results).toMatchObject([
      { status: 'rejected', reason: { code: 'stale_epoch' } },
      { status: 'fulfilled' },
    ]);
    expect(first?.bye).toBe('reattach');
    expect(worker.links.map(({ hello }) => hello.epoch)).toEqual([1, 3]);
  });

  it('opens no link for a call that ends meanwhile', async () => {
    await open({});
    const { worker, sandbox } = stage;
    const { mediaId } = await stage.join(await longMeeting(), 'over');
    const attached = sandbox.mediaHost.attach(mediaId, {
      workerUrl: stage.workerUrl,
      token: 'c_over.2',
      epoch: 2,
    });
    sandbox.mediaHost.release(mediaId);
    await expect(attached).rejects.toMatchObject({ code: 'media_ended' });
    expect(worker.links).toHaveLength(1);
  });

  it('drops the oldest frames in real time when the worker is too slow, and says which', async () => {
    const clock = new VirtualClock(Date.now());
    await open({ clock, replayWindowMs: 100, creditFrames: 4 });
    const { worker } = stage;
    worker.acknowledges = false;
    await stage.join(stage.joinUrl(), 'slow', () => clock.advance(SET_UP_MS));
    clock.advance(100);
    await worker.heard.first(
      () => (worker.links[0]?.streams.values().next().value?.frames.length ?? 0) >= 4,
    );
    const link = worker.links[0]!;
    const frames = [...link.streams.values()][0]!.frames;
    clock.advance(1_000);
    await stage.bot.callbacks.first(({ data }) => Array.isArray(data) && data.length === 3);
    expect(frames).toHaveLength(4);
    worker.acknowledge(link);
    await worker.heard.first(() => link.discarded.length > 0 && frames.length > 4);
    const [lost] = link.discarded;
    expect(lost).toMatchObject({ streamId: 1, firstSequence: 4 });
    expect(lost!.frames).toBeGreaterThan(20);
    expect(frames[4]?.sequence).toBe(4 + lost!.frames);
    expect(frames[4]?.timeMs).toBe(frames[4]!.number * 20);
  });
});
