import { VirtualClock } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import type { MediaLinkSession } from '@earshot/bridge';
import type { HelloMessage, HostSendMessage, WorkerMessage } from '@earshot/bridge-protocol';
import { FrameBatchWriter, KIND } from '@earshot/bridge-protocol';
import { writeOggOpus } from '@earshot/opus';
import { Registry } from '@earshot/registry';
import type { TestRedis } from '@earshot/test-kit';
import { startTestRedis } from '@earshot/test-kit';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { CallPlays } from '../src/play/call-plays.js';
import { PlayCounts } from '../src/play/play-counts.js';
import { PlayDesk } from '../src/play/play-desk.js';
import type { PlayEventDraft } from '../src/play/play-events.js';
import { encode, voice } from './sound.js';

const WAIT = { timeout: 50_000, interval: 10 };
const SILENT_LOG = { debug() {}, info() {}, warn() {}, error() {} };
const PACKETS = encode(voice(200));
const HELLO: HelloMessage = {
  type: 'hello',
  version: 1,
  callId: 'c_1',
  mediaId: 'm_1',
  epoch: 1,
  mediaEpochTicks: '0',
  clockNowTicks: '0',
  replayWindowMs: 0,
};

/** A link whose host says nothing by itself. */
class SilentLink implements MediaLinkSession {
  readonly callId = 'c_1';
  readonly epoch = 1;
  readonly hello = HELLO;
  readonly wayBack = { codecs: ['opus'], maxStreams: 1, bufferFrames: 100 } as const;
  readonly bufferedBytes = 0;
  readonly said: WorkerMessage[] = [];
  /** Frames that it takes before it is full. */
  room = 1000;
  frames = 0;

  send(message: WorkerMessage): void {
    this.said.push(message);
  }

  sendFrames(bytes: Uint8Array): boolean {
    const count = bytes[3] ?? 0;
    if (count > this.room) return false;
    this.room -= count;
    this.frames += count;
    return true;
  }

  close(): void {}
}

describe('the plays of a call', () => {
  let redis: TestRedis;
  let registry: Registry;
  let clock: VirtualClock;
  let link: SilentLink;
  let told: PlayEventDraft[];
  let callId: string;
  let calls = 0;
  let audio: Uint8Array;

  beforeAll(async () => {
    redis = await startTestRedis();
    registry = new Registry({ redisUrl: redis.url, clock: systemClock });
    await registry.ready();
    audio = await writeOggOpus({ packets: PACKETS });
  });

  beforeEach(() => {
    calls += 1;
    callId = `c_${calls}`;
    clock = new VirtualClock();
    link = new SilentLink();
    told = [];
  });

  afterAll(async () => {
    await registry.close();
    await redis.close();
  });

  function workerOf(epoch: number): CallPlays {
    return new CallPlays({
      callId,
      epoch,
      mediaEpochTicks: '0',
      store: registry.plays,
      journal: { add: (draft) => told.push(draft), flushed: async () => {} },
      writer: new FrameBatchWriter(undefined, KIND.send),
      counts: new PlayCounts(),
      clock,
      log: SILENT_LOG,
    });
  }

  async function post(playId: string, bytes = audio): Promise<void> {
    const state = 'queued';
    const frames = PACKETS.length;
    const play = { playId, callId, state, createdAtMs: 0, frames, digest: 'd' } as const;
    await registry.plays.add({ ...play, sampleRateHz: 16_000 }, bytes);
  }

  async function says(type: WorkerMessage['type'], times = 1): Promise<WorkerMessage | undefined> {
    const find = () => link.said.filter((message) => message.type === type);
    await vi.waitUntil(() => find().length >= times, WAIT);
    return find().at(-1);
  }

  async function settled(): Promise<unknown[]> {
    await vi.waitUntil(async () => (await registry.plays.waiting(callId)).length === 0, WAIT);
    return registry.plays.list(callId);
  }

  const opened: HostSendMessage = {
    type: 'sendOpened',
    streamId: 1,
    nextSequence: 0,
    creditFrames: 100,
  };

  it('fail when the host does not open them in time; what it opens late is closed', async () => {
    const plays = workerOf(1);
    plays.linkUp(link);
    await post('p_1');
    plays.wake();
    expect(await says('sendOpen')).toMatchObject({ streamId: 1, sendId: 'p_1' });
    clock.advance(4999);
    expect(await registry.plays.waiting(callId)).toHaveLength(1);
    clock.advance(1);
    expect(await settled()).toMatchObject([{ state: 'failed', reason: 'send_open_timeout' }]);
    await post('p_2');
    plays.wake();
    // Not the number that the host may still open.
    expect(await says('sendOpen', 2)).toMatchObject({ streamId: 2, sendId: 'p_2' });
    plays.message(opened);
    expect(link.said.slice(-2)).toEqual([
      { type: 'clear', streamId: 1 },
      { type: 'sendClose', streamId: 1, nextSequence: 0 },
    ]);
    expect(link.frames).toBe(0);
    await plays.end(false);
  });

  it('wait for a link that is full', async () => {
    const plays = workerOf(1);
    link.room = 0;
    plays.linkUp(link);
    await post('p_1');
    plays.wake();
    await says('sendOpen');
    plays.message(opened);
    expect(link.frames).toBe(0);
    link.room = 1000;
    clock.advance(100);
    expect(link.frames).toBe(PACKETS.length);
    expect(link.said.at(-1)).toMatchObject({ type: 'sendClose', nextSequence: PACKETS.length });
    await plays.end(false);
  });

  it('tell when they began and ended, on the media clock', async () => {
    const plays = workerOf(1);
    plays.linkUp(link);
    await post('p_1');
    plays.wake();
    await says('sendOpen');
    plays.message(opened);
    const mark = { type: 'marked', streamId: 1, outcome: 'played' } as const;
    plays.message({ ...mark, name: 'began', clockTicks: '10200000' });
    await vi.waitUntil(
      async () => (await registry.plays.read(callId, 'p_1'))?.state === 'playing',
      WAIT,
    );
    plays.message({ ...mark, name: 'ended', clockTicks: '12000000' });
    plays.message({ type: 'sendClosed', streamId: 1, reason: 'played', played: PACKETS.length });
    await settled();
    expect(told).toMatchObject([
      { type: 'play.started', mediaTimeMs: 1000, data: { playId: 'p_1', durationMs: 200 } },
      { type: 'play.ended', mediaTimeMs: 1200, data: { outcome: 'played', playedMs: 200 } },
    ]);
    await plays.end(true);
  });

  it('that ended at a worker which died before it said so are told by the next', async () => {
    await post('p_1');
    await registry.plays.update(callId, 'p_1', (play) => ({
      ...play,
      state: 'played',
      playedFrames: 10,
      epoch: 1,
    }));
    const plays = workerOf(2);
    plays.linkUp(link);
    await settled();
    expect(told).toMatchObject([
      { id: `${callId}.play.p_1.ended`, data: { outcome: 'played', playedMs: 200 } },
    ]);
    expect(link.said).toEqual([]);
    await plays.end(true);
  });

  it('are let go by a worker whose epoch is over', async () => {
    await post('p_1');
    await registry.plays.update(callId, 'p_1', (play) => ({ ...play, epoch: 5 }));
    const stale = workerOf(4);
    stale.linkUp(link);
    // Once it has looked.
    await Promise.resolve();
    await stale.end(false);
    expect(link.said).toEqual([]);
    expect(await registry.plays.waiting(callId)).toMatchObject([{ state: 'queued', epoch: 5 }]);
  });

  it('whose audio cannot be read have failed', async () => {
    await post('p_1', Uint8Array.of(1, 2, 3));
    const plays = workerOf(1);
    plays.linkUp(link);
    expect(await settled()).toMatchObject([{ state: 'failed', reason: 'audio_lost' }]);
    await plays.end(true);
  });

  it('are found within seconds when no wake-up came', async () => {
    await post('p_1');
    const woken: string[] = [];
    const call = { callId, linked: true, plays: { wake: () => woken.push(callId) } };
    const idle = { callId: 'c_idle', linked: true, plays: { wake: () => woken.push('c_idle') } };
    const deaf = { plays: registry.plays, listenForPlays: async () => {} };
    const stop = await new PlayDesk({
      registry: deaf,
      clock,
      log: SILENT_LOG,
      calls: () => [call, idle],
    }).start();
    clock.advance(2999);
    expect(woken).toEqual([]);
    clock.advance(1);
    await vi.waitUntil(() => woken.length > 0, WAIT);
    expect(woken).toEqual([callId]);
    stop();
  });
});
