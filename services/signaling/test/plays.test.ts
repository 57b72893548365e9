import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { createOpusEngine, encodeFrames, listOggOpus, writeOggOpus } from '@earshot/opus';
import { sine, wavFile } from '@earshot/test-kit';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PlayListView, PlayView } from '../src/rest/play-schemas.js';
import type { Answer, Problem } from './support/harness.js';
import { API_KEY, Harness, WAIT } from './support/harness.js';
import { endItem, stateItem } from './support/notifications.js';

const WAV = wavFile({
  sampleRateHz: 16_000,
  channels: [sine({ hz: 440, sampleRateHz: 16_000, durationMs: 300 })],
});

describe('playing into a call', () => {
  let harness: Harness;
  let callId: string;

  beforeAll(async () => {
    harness = await Harness.open();
    await harness.start();
    await Promise.all([harness.host({ capacity: 100 }), harness.worker()]);
  });

  beforeEach(async () => {
    callId = (await harness.join()).body.id;
    await harness.graph.notify([stateItem(harness.graph.lastLeg.id, 'established')]);
    await vi.waitUntil(async () => (await harness.call(callId)).media.attached, WAIT);
  });

  afterAll(() => harness.close());

  async function post(
    body: Uint8Array | string,
    headers: Record<string, string> = {},
    id = callId,
  ): Promise<Answer<PlayView & Problem>> {
    const response = await fetch(`${harness.signaling.url}/v1/calls/${id}/play`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${API_KEY}`,
        'content-type': 'audio/wav',
        ...headers,
      },
      body,
    });
    const { status } = response;
    return { status, headers: response.headers, body: JSON.parse(await response.text()) };
  }

  it('takes a WAV, normalised, and tells how it is', async () => {
    const { status, headers, body } = await post(WAV);
    expect(status).toBe(202);
    expect(body).toEqual({
      playId: expect.stringMatching(/^p_[\w-]{22}$/),
      callId,
      state: 'queued',
      createdAt: expect.any(String),
      durationMs: 320,
    });
    const path = `/v1/calls/${callId}/plays/${body.playId}`;
    expect(headers.get('location')).toBe(path);
    expect((await harness.get<PlayView>(path)).body).toEqual(body);
    const audio = await harness.registry.plays.audio(callId, body.playId);
    expect(listOggOpus(audio ?? new Uint8Array(0), 100).packets).toHaveLength(16);
    expect(await harness.registry.plays.waiting(callId)).toMatchObject([
      { playId: body.playId, frames: 16, sampleRateHz: 16_000 },
    ]);
  });

  it('takes Ogg Opus, packet by packet as it is, with parameters in its type', async () => {
    const sound = Int16Array.from({ length: 3200 }, (_, n) => 9000 * Math.sin(n / 6));
    const packets = encodeFrames(await createOpusEngine(), sound, {
      sampleRateHz: 16_000,
      channels: 1,
      bitrateBps: 24_000,
      dtx: false,
      application: 'voip',
    });
    const file = await writeOggOpus({ packets });
    const { status, body } = await post(file, { 'content-type': 'Audio/OGG; codecs=opus' });
    expect([status, body.durationMs]).toEqual([202, 200]);
    const audio = await harness.registry.plays.audio(callId, body.playId);
    expect(listOggOpus(audio ?? new Uint8Array(0), 100).packets).toEqual(
      packets.map((packet) => Buffer.from(packet)),
    );
  });

  it('lists plays in the order in which they are heard', async () => {
    const ids = [(await post(WAV)).body.playId, (await post(WAV)).body.playId];
    const { plays } = (await harness.get<PlayListView>(`/v1/calls/${callId}/plays`)).body;
    expect(plays.map(({ playId }) => playId)).toEqual(ids);
  });

  it('takes one play for one idempotency key, and another body with it for a mistake', async () => {
    const key = { 'idempotency-key': 'k' };
    const answers = await Promise.all([post(WAV, key), post(WAV, key), post(WAV, key)]);
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(new Set(answers.map(({ body }) => body.playId)).size).toBe(1);
    expect(await harness.registry.plays.waiting(callId)).toHaveLength(1);
    const other = wavFile({ sampleRateHz: 16_000, channels: [[0, 0.5]] });
    expect((await post(other, key)).body).toMatchObject({
      status: 422,
      code: 'idempotency_key_reused',
    });
    expect(await harness.registry.plays.waiting(callId)).toHaveLength(1);
  });

  it('asks for the end of a play on DELETE, and shows what became of it', async () => {
    const { plays } = harness.registry;
    const { playId } = (await post(WAV)).body;
    const path = `/v1/calls/${callId}/plays/${playId}`;
    const asked = await harness.request<PlayView>('DELETE', path);
    expect(asked.status).toBe(202);
    expect(asked.body).toMatchObject({ state: 'queued', clearRequested: true });
    expect(await plays.read(callId, playId)).toMatchObject({ clearRequested: true });
    await plays.update(callId, playId, (play) => ({ ...play, state: 'cleared', playedFrames: 5 }));
    const again = await harness.request<PlayView>('DELETE', path);
    expect(again.status).toBe(202);
    expect(again.body).toMatchObject({ state: 'cleared', playedMs: 100 });
    expect(again.body.clearRequested).toBeUndefined();
  });

  it.each([
    ['a type that is no audio', 'audio/mpeg', WAV, 415, 'unsupported_media_type'],
    ['JSON', 'application/json', '{}', 415, 'unsupported_media_type'],
    ['a body that is not what it says', 'audio/ogg', WAV, 422, 'invalid_audio'],
    ['an empty body', 'audio/wav', '', 422, 'invalid_audio'],
    ['a large body', 'audio/wav', new Uint8Array(10_485_761), 413, 'too_large'],
  ])('refuses %s', async (_, type, body, status, code) => {
    const answer = await post(body, { 'content-type': type });
    expect(answer.headers.get('content-type')).toMatch('application/problem+json');
    expect(answer.body).toMatchObject({ status, code });
    expect(answer.status).toBe(status);
  });

  it('refuses a body that turns out to be large', async () => {
    const chunk = new Uint8Array(1024 * 1024);
    let chunks = 0;
    const body = new ReadableStream({
      pull(controller) {
        chunks += 1;
        if (chunks > 12) controller.close();
        else controller.enqueue(chunk);
      },
    });
    const response = await fetch(`${harness.signaling.url}/v1/calls/${callId}/play`, {
      method: 'POST',
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'audio/wav' },
      body,
      duplex: 'half',
    });
    expect(await response.json()).toMatchObject({ status: 413, code: 'too_large' });
  });

  it('refuses calls and plays that there are not', async () => {
    expect((await post(WAV, {}, 'c_unknown')).body).toMatchObject({ code: 'call_not_found' });
    for (const path of ['c_unknown/plays', 'c_unknown/plays/p_1']) {
      const { body } = await harness.get<Problem>(`/v1/calls/${path}`);
      expect(body).toMatchObject({ status: 404, code: 'call_not_found' });
    }
    for (const method of ['GET', 'DELETE']) {
      const answer = await harness.request<Problem>(method, `/v1/calls/${callId}/plays/p_unknown`);
      expect(answer.body).toMatchObject({ status: 404, code: 'play_not_found' });
    }
  });

  it('refuses without the API key, before the body', async () => {
    const answer = await post(WAV, { authorization: 'Bearer wrong' });
    expect(answer.body).toMatchObject({ status: 401, code: 'unauthorized' });
  });

  it('refuses a call that is not established, or over', async () => {
    const leg = harness.graph.lastLeg;
    const early = (await harness.join()).body.id;
    const refused = await post(WAV, {}, early);
    expect(refused.body).toMatchObject({ status: 409, code: 'call_not_live' });
    expect(refused.headers.get('retry-after')).toBe('5');
    const { playId } = (await post(WAV)).body;
    await harness.request('DELETE', `/v1/calls/${callId}`);
    expect((await post(WAV)).body).toMatchObject({ status: 409, code: 'call_not_live' });
    await harness.graph.notify([endItem(leg.id, 200, 0)], { leg });
    await vi.waitUntil(async () => (await harness.call(callId)).result !== undefined, WAIT);
    const { body } = await harness.get<PlayView>(`/v1/calls/${callId}/plays/${playId}`);
    expect(body).toMatchObject({ state: 'failed', reason: 'media_ended' });
  });

  it('refuses when the host cannot play', async () => {
    await harness.registry.plays.noteHost(callId, false);
    expect((await post(WAV)).body).toMatchObject({ status: 409, code: 'host_cannot_play' });
    await harness.registry.plays.noteHost(callId, true);
    expect((await post(WAV)).status).toBe(202);
  });

  it('refuses a seventeenth play', async () => {
    for (let n = 0; n < 16; n += 1) expect((await post(WAV)).status).toBe(202);
    expect((await post(WAV)).body).toMatchObject({ status: 429, code: 'too_many_plays' });
  });

  it('refuses more bodies at once than it holds, and takes some again when those are gone', async () => {
    const { hostname, port } = new URL(harness.signaling.url);
    const open = new Set<Socket>();
    const hold = (): void => {
      const socket = connect(Number(port), hostname);
      open.add(socket);
      socket.on('error', () => {});
      // Refused, because a request of this test had the place at that moment: once more.
      socket.once('data', () => {
        open.delete(socket);
        socket.destroy();
        hold();
      });
      socket.write(
        `POST /v1/calls/${callId}/play HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${API_KEY}\r\n` +
          'Content-Type: audio/wav\r\nContent-Length: 1000\r\n\r\nRIFF',
      );
    };
    for (let n = 0; n < 4; n += 1) hold();
    // Of nothing, so that it is never too many for the call.
    await vi.waitUntil(async () => (await post('')).body.code === 'too_many_plays', WAIT);
    for (const socket of open) socket.destroy();
    await vi.waitUntil(async () => (await post('')).body.code === 'invalid_audio', WAIT);
  });
});
