import { fileURLToPath } from 'node:url';
import type { HostSendMessage, WorkerSendMessage } from '@earshot/bridge-protocol';
import { CODEC, FrameBatchWriter, KIND } from '@earshot/bridge-protocol';
import { readOggOpus } from '@earshot/opus';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SEND_CAPABILITY } from '../src/host/media-session.js';
import { HostStage } from './host-stage.js';
import type { LinkedStage } from './linked-stage.js';
import { openLinkedStage } from './linked-stage.js';
import { opusEngine, payloadOf, pcmOf, range } from './send-kit.js';
import type { HeardLink } from './test-worker.js';

let close: () => Promise<void> = async () => {};

afterEach(() => close());

async function openHost(): Promise<HostStage> {
  const stage = await HostStage.open({});
  close = () => stage.close();
  return stage;
}

async function openCall(speed: number): Promise<LinkedStage> {
  const stage = await openLinkedStage({ speed });
  // Over no sooner than any of these tests.
  await stage.sandbox.addMeeting({ name: 'long', durationMs: 3_600_000, participants: [] });
  // msal takes no other fetch than the global one.
  vi.stubGlobal('fetch', stage.fetch);
  close = async () => {
    vi.unstubAllGlobals();
    await stage.close();
  };
  return stage;
}

function sendOpen(sendId: string, codec: 'opus' | 'pcm16', streamId = 1): WorkerSendMessage {
  return { type: 'sendOpen', streamId, sendId, codec, sampleRateHz: 16_000, firstSequence: 0 };
}

function sendFrames(
  link: HeardLink,
  codec: number,
  packets: readonly Uint8Array[],
  first = 0,
): void {
  const writer = new FrameBatchWriter(undefined, KIND.send);
  for (const [n, packet] of packets.entries()) {
    if (writer.append(1, codec, 0, first + n, 0, 0, packet)) continue;
    link.session.sendFrames(writer.finish());
    writer.reset();
    writer.append(1, codec, 0, first + n, 0, 0, packet);
  }
  link.session.sendFrames(writer.finish());
}

function heardOf(link: HeardLink, type: HostSendMessage['type']): Promise<HostSendMessage> {
  return link.sendMessages.first((message) => message.type === type);
}

/** When a mark came true, on the media clock. */
function mediaMsOf(link: HeardLink, message: HostSendMessage): number {
  const ticks = message.type === 'marked' ? BigInt(message.clockTicks) : 0n;
  return Number(ticks - BigInt(link.hello.mediaEpochTicks)) / 10_000;
}

interface CallMedia {
  readonly graphCallId: string | null;
  readonly sends: readonly object[];
  readonly heard: { readonly startMs: number; readonly samples: number } | null;
  readonly accounts: readonly object[];
}

async function mediaOf(stage: LinkedStage, id: string): Promise<CallMedia> {
  const response = await stage.fetch(`${stage.sandbox.ready.url}/sandbox/calls/${id}/media`);
  expect(response.status).toBe(200);
  return (await response.json()) as CallMedia;
}

/** The samples of a WAV file of ours. */
async function wavOf(stage: LinkedStage, id: string): Promise<Int16Array> {
  const response = await stage.fetch(`${stage.sandbox.ready.url}/sandbox/calls/${id}/heard.wav`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('audio/wav');
  const file = new Uint8Array(await response.arrayBuffer());
  const text = (at: number): string => String.fromCharCode(...file.subarray(at, at + 4));
  const view = new DataView(file.buffer);
  expect([text(0), text(8), text(12), text(36)]).toEqual(['RIFF', 'WAVE', 'fmt ', 'data']);
  expect([view.getUint16(22, true), view.getUint32(24, true)]).toEqual([1, 16_000]);
  expect(view.getUint32(40, true)).toBe(file.length - 44);
  return new Int16Array(file.buffer.slice(44));
}

describe('audio into a meeting', () => {
  it('is offered in hello, and agreed', async () => {
    const stage = await openHost();
    const { mediaId } = stage.begin('c_offer');
    await stage.attach(mediaId, 'c_offer.1', 1);
    expect(stage.worker.links[0]?.hello.send).toEqual(SEND_CAPABILITY);
    expect(stage.worker.links[0]?.session.wayBack).toEqual(SEND_CAPABILITY);
  });

  it('is heard in real time, sample by sample, and can be fetched during and after the call', async () => {
    const stage = await openCall(1);
    const openedMs = performance.now();
    const { graphCallId, mediaId } = await stage.join(stage.joinUrl('long'), 'play');
    const link = stage.worker.links[0]!;
    link.session.send(sendOpen('hello', 'pcm16'));
    expect(await heardOf(link, 'sendOpened')).toEqual({
      type: 'sendOpened',
      streamId: 1,
      nextSequence: 0,
      creditFrames: 500,
    });
    sendFrames(
      link,
      CODEC.pcm16,
      range(0, 30).map((n) => payloadOf(pcmOf(n))),
    );
    link.session.send({ type: 'mark', streamId: 1, name: 'middle', sequence: 15 });
    link.session.send({ type: 'sendClose', streamId: 1, nextSequence: 30 });
    const marked = await heardOf(link, 'marked');
    expect(marked).toMatchObject({ name: 'middle', outcome: 'played' });
    expect(await heardOf(link, 'sendClosed')).toEqual({
      type: 'sendClosed',
      streamId: 1,
      reason: 'played',
      played: 30,
    });
    const expected = range(0, 30).flatMap((n) => [...pcmOf(n)]);
    expect([...(await wavOf(stage, graphCallId))]).toEqual(expected);
    const media = await mediaOf(stage, 'c_play');
    // What is heard is heard no earlier than its time has come.
    const { startMs = 0 } = media.heard ?? {};
    expect(mediaMsOf(link, marked)).toBe(startMs + 15 * 20);
    expect(startMs + 15 * 20).toBeLessThanOrEqual(performance.now() - openedMs);
    expect(media).toMatchObject({
      mediaId,
      graphCallId,
      heard: { samples: expected.length },
      sends: [{ sendId: 'hello', framesPlayed: 30, underrunFrames: 0, ended: 'played' }],
    });
    stage.hostLink.release(stage.sandbox.mediaHost.hostId, mediaId);
    await stage.mediaStates.first((state) => state === 'ended released');
    expect([...(await wavOf(stage, mediaId))]).toEqual(expected);
  });

  it('follows the meeting in virtual time, and Opus is heard as it decodes', async () => {
    const file = fileURLToPath(new URL('../meeting/ada.opus', import.meta.url));
    const packets = (await readOggOpus(file)).packets.slice(0, 100);
    const stage = await openCall(2);
    await stage.join(stage.joinUrl('long'), 'virtual');
    const link = stage.worker.links[0]!;
    link.session.send(sendOpen('voice', 'opus'));
    await heardOf(link, 'sendOpened');
    sendFrames(link, CODEC.opus, packets);
    link.session.send({ type: 'sendClose', streamId: 1, nextSequence: packets.length });
    await heardOf(link, 'sendClosed');
    const decoder = opusEngine()
      .createDecoderPool({ sampleRateHz: 16_000, channels: 1, capacity: 1 })
      .acquire();
    const expected = packets.flatMap((packet) => {
      const pcm = new Int16Array(320);
      decoder.decode(packet, 0, packet.length, pcm);
      return [...pcm];
    });
    expect([...(await wavOf(stage, 'c_virtual'))]).toEqual(expected);
  });

  it('goes on at another worker where the first one stopped', async () => {
    const stage = await openHost();
    const { worker } = stage;
    const { mediaId, session } = stage.begin('c_moved');
    await stage.attach(mediaId, 'c_moved.1', 1);
    const [first] = worker.links;
    first!.session.send(sendOpen('story', 'pcm16'));
    await heardOf(first!, 'sendOpened');
    sendFrames(
      first!,
      CODEC.pcm16,
      range(0, 12).map((n) => payloadOf(pcmOf(n))),
    );
    await heardOf(first!, 'sendProgress');
    for (const n of range(0, 5)) session.tick(n * 20);
    await stage.attach(mediaId, 'c_moved.2', 2);
    const second = worker.links[1]!;
    for (const n of range(5, 10)) session.tick(n * 20);
    second.session.send(sendOpen('story', 'pcm16'));
    expect(await heardOf(second, 'sendOpened')).toMatchObject({ nextSequence: 12 });
    sendFrames(
      second,
      CODEC.pcm16,
      range(12, 20).map((n) => payloadOf(pcmOf(n))),
      12,
    );
    second.session.send({ type: 'sendClose', streamId: 1, nextSequence: 20 });
    await second.sendMessages.first(
      (m) => m.type === 'sendProgress' && m.streams[0]?.received === 20,
    );
    for (const n of range(10, 21)) session.tick(n * 20);
    expect(await heardOf(second, 'sendClosed')).toMatchObject({ reason: 'played', played: 20 });
    const heard = session.heard.piece()!;
    expect([...heard.samples]).toEqual(range(0, 20).flatMap((n) => [...pcmOf(n)]));
  });

  it('closes the link of a worker that exceeds its credit, and takes the next one', async () => {
    const stage = await openHost();
    const { worker } = stage;
    const { mediaId } = stage.begin('c_greedy');
    await stage.attach(mediaId, 'c_greedy.1', 1);
    const [link] = worker.links;
    link!.session.send(sendOpen('greedy', 'pcm16'));
    await heardOf(link!, 'sendOpened');
    sendFrames(
      link!,
      CODEC.pcm16,
      range(0, 501).map(() => payloadOf(pcmOf(1))),
    );
    expect(await worker.closes.first(() => true)).toBe('4400 credit_exceeded');
    await stage.isActive(2);
  });

  it('ends with the call, and the worker is told before the bye', async () => {
    const stage = await openHost();
    const { mediaId, session } = stage.begin('c_end');
    await stage.attach(mediaId, 'c_end.1', 1);
    const [link] = stage.worker.links;
    link!.session.send(sendOpen('late', 'pcm16'));
    await heardOf(link!, 'sendOpened');
    session.end();
    await stage.worker.byes.first(() => true);
    expect(link!.sendMessages.items.at(-1)).toMatchObject({
      type: 'sendClosed',
      reason: 'media_ended',
    });
  });

  it('is refused before the meeting has begun', async () => {
    const stage = await openHost();
    const { mediaId } = stage.host.allocate('c_early');
    await stage.attach(mediaId, 'c_early.1', 1);
    const [link] = stage.worker.links;
    link!.session.send(sendOpen('early', 'pcm16'));
    expect(await heardOf(link!, 'sendClosed')).toMatchObject({ reason: 'media_inactive' });
  });
});

describe('POST /sandbox/media', () => {
  const post = (stage: LinkedStage, body: unknown): Promise<Response> =>
    stage.fetch(`${stage.sandbox.ready.url}/sandbox/media`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  it('plays a meeting for a blob, without Graph', async () => {
    const stage = await openCall(50);
    const { hostLink, sandbox, worker } = stage;
    const { hostId } = sandbox.mediaHost;
    const callId = 'c_direct';
    const { mediaId, blob } = await hostLink.allocate(hostId, callId);
    const started = await post(stage, { blob, meeting: 'test' });
    expect([started.status, await started.json()]).toEqual([201, { mediaId, callId }]);
    const attachment = { mediaId, callId, workerUrl: stage.workerUrl, token: `${callId}.1` };
    await hostLink.attach(hostId, { ...attachment, epoch: 1 });
    const link = await worker.byes.first(({ hello }) => hello.callId === callId);
    expect(link.bye).toBe('callEnded');
    expect(link.streams.get(1)?.frames).toHaveLength(200);
    expect(sandbox.mediaHost.stats.accountMismatches).toBe(0);
    expect((await mediaOf(stage, callId)).graphCallId).toBe(null);
  });

  it('refuses what it can not play, and says why', async () => {
    const stage = await openCall(50);
    const refusals = [
      ['blob_not_found', { blob: 'nonsense' }],
      ['meeting_not_found', { blob: 'nonsense', meeting: 'none of ours' }],
      ['invalid_request', { meeting: 'test' }],
    ] as const;
    for (const [code, body] of refusals) {
      const response = await post(stage, body);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: { code } });
    }
  });

  it('ends the meeting when the session is released', async () => {
    const stage = await openCall(1);
    const { hostLink, sandbox } = stage;
    const { hostId } = sandbox.mediaHost;
    const { mediaId, blob } = await hostLink.allocate(hostId, 'c_released');
    await post(stage, { blob, meeting: 'long' });
    hostLink.release(hostId, mediaId);
    await stage.mediaStates.first((state) => state === 'ended released');
    expect(sandbox.mediaHost.stats.activeCalls).toBe(0);
  });

  it('answers 404 for calls that it does not know, or that heard nothing', async () => {
    const stage = await openCall(50);
    const { blob, mediaId } = stage.sandbox.mediaHost.allocate('c_silent');
    await post(stage, { blob });
    for (const path of ['nobody/media', 'nobody/heard.wav', `${mediaId}/heard.wav`]) {
      const response = await stage.fetch(`${stage.sandbox.ready.url}/sandbox/calls/${path}`);
      expect(response.status).toBe(404);
    }
  });
});
