import { systemClock } from '@earshot/async/system';
import type { EarshotEvent, EventData, EventType } from '@earshot/events';
import { EventPublisher, Subscriptions } from '@earshot/events';
import type { RedisClient } from '@earshot/redis-client';
import { connect, createClient, disconnect } from '@earshot/redis-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TranscriptView } from '../src/rest/transcript-schemas.js';
import type { Problem } from './support/harness.js';
import { API_KEY, Harness, WAIT } from './support/harness.js';

const UTTERANCES = 'earshot_transcript_utterances_total';
const READER = 'key-that-may-read-transcripts';
const DECLARATION = { basis: 'All agreed.', declaredBy: 'operator-7' };
const ADA = { id: 'p_ada', displayName: 'Ada & <Co>' };

describe('kept transcripts', () => {
  let harness: Harness;
  let publisher: EventPublisher;
  let redis: RedisClient;
  let callId: string;
  let position = 0;
  /** Events are as of then: after all gates that are opened here. */
  const laterMs = Date.now() + 3_600_000;

  beforeAll(async () => {
    harness = await Harness.open();
    const keys = [{ id: 'reader', key: READER, scopes: ['transcripts:read'] }];
    await harness.start({
      environment: { EARSHOT_KEEP_TRANSCRIPTS: 'true', EARSHOT_API_KEYS: JSON.stringify(keys) },
    });
    await harness.host();
    await harness.worker();
    publisher = new EventPublisher({ redisUrl: harness.redis.url, clock: systemClock });
    await publisher.ready();
    redis = createClient(harness.redis.url, { maxRetriesPerRequest: 1 });
    await connect(redis);
  });

  beforeEach(async () => {
    callId = (await harness.attachedCall()).id;
    position = 0;
  });

  afterAll(async () => {
    await disconnect(redis);
    await publisher.close();
    await harness.close();
  });

  const path = (more = '') => `/v1/calls/${callId}/transcript${more}`;
  const stored = () => redis.keys(`*{${callId}}:transcript*`);
  const shown = async () => (await harness.get<TranscriptView>(path())).body;

  /** Publishes what a media worker found at `atMs` of the media clock, and waits for the keeper. */
  async function tell<Type extends EventType>(
    type: Type,
    data: EventData[Type],
    atMs: number,
  ): Promise<void> {
    const event = {
      ...{ version: 1, id: `${callId}/${position}`, type, callId, epoch: 1, source: 'media' },
      ...{ position, mediaTimeMs: atMs, wallclock: new Date(laterMs + atMs).toISOString() },
      ...{ participant: ADA, sourceId: '7', data },
    } as unknown as EarshotEvent;
    position += 1;
    const before = await harness.metric(UTTERANCES);
    expect(publisher.publish(event)).toBe(true);
    await publisher.flushed();
    if (!type.startsWith('transcript.final')) return;
    await vi.waitUntil(async () => (await harness.metric(UTTERANCES)) > before, WAIT);
  }

  const say = (text: string, startMs: number, durationMs = 1000) =>
    tell(
      'transcript.final',
      {
        ...{ utteranceId: `u_${startMs}`, text, words: [], gaps: [], confidence: 0.9 },
        ...{ startMs, endMs: startMs + durationMs, engine: 'test', language: 'en-US' },
      },
      startMs + 1000,
    );

  const declare = () =>
    harness.request('POST', `/v1/calls/${callId}/recording-declaration`, DECLARATION);
  const withdraw = () => harness.request('DELETE', `/v1/calls/${callId}/recording-declaration`);
  const gateIs = (state: string | undefined) =>
    vi.waitUntil(async () => (await harness.registry.recordingGate(callId))?.state === state, WAIT);

  async function open(): Promise<void> {
    await declare();
    await gateIs('open');
  }

  it('are nothing while the gate is closed', async () => {
    const before = await harness.metric(UTTERANCES, { outcome: 'notRecorded' });
    await say('not for you', 1000);
    expect(await harness.metric(UTTERANCES, { outcome: 'notRecorded' })).toBe(before + 1);
    expect(await stored()).toEqual([]);
    expect(await shown()).toEqual({
      ...{ callId, utterances: [], lost: [], notRecorded: [], dropped: 0, notKept: 1 },
    });
  });

  it('are what was said while it was open, and say how much is missing', async () => {
    await say('too early', 1000);
    await open();
    await tell(
      'media.gap',
      {
        ...{ streamId: 1, missingFrames: 50, concealedFrames: 0 },
        ...{ startMs: 4000, durationMs: 1000, cause: 'lost' },
      },
      5000,
    );
    await say('call me back', 6000);
    await say('begun before it was open', 7000, 7_200_000);
    await withdraw();
    await gateIs('closed');
    const size = await redis.llen(`earshot:{${callId}}:transcript`);
    await say('no longer', 9000);
    expect(await redis.llen(`earshot:{${callId}}:transcript`)).toBe(size);
    await open();
    await say('once more', 12_000);
    await withdraw();
    await gateIs('closed');
    await say('after the last', 14_000);
    const { utterances, lost, notRecorded, notKept } = await shown();
    // Whoever kept them, and whether anything was kept after them or not.
    expect(notKept).toBe(4);
    expect(utterances.map(({ text, participant }) => [text, participant])).toEqual([
      ['call me back', ADA],
      ['once more', ADA],
    ]);
    expect(lost).toMatchObject([{ startMs: 4000, durationMs: 1000 }]);
    expect(notRecorded).toEqual([
      { utterances: 1, beforeMs: 4000 },
      { utterances: 2, beforeMs: 12_000 },
    ]);
    expect(JSON.stringify(await redis.lrange(`earshot:{${callId}}:transcript`, 0, -1))).not.toMatch(
      /too early|no longer|begun before/,
    );
  });

  it('are shown as WebVTT and SRT as well, to who may read them, and forgotten on demand', async () => {
    await open();
    await say('call me back', 1000);
    const textAs = async (format: string) => {
      const headers = { authorization: `Bearer ${READER}` };
      const response = await fetch(`${harness.signaling.url}${path(`?format=${format}`)}`, {
        headers,
      });
      return { type: response.headers.get('content-type'), text: await response.text() };
    };
    expect(await textAs('vtt')).toEqual({
      type: 'text/vtt; charset=utf-8',
      text: 'WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\n<v Ada &amp; &lt;Co&gt;>call me back</v>\n\n',
    });
    expect((await textAs('srt')).text).toContain('\nAda & ‹Co›: call me back\n');
    expect((await harness.get<Problem>(path('?format=doc'))).body.code).toBe('invalid_request');
    const reader = { authorization: `Bearer ${READER}` };
    const refused = await harness.request<Problem>('DELETE', path(), undefined, reader);
    expect(refused.body.code).toBe('missing_scope');
    const owner = { authorization: `Bearer ${API_KEY}` };
    expect((await harness.request('DELETE', path(), undefined, owner)).status).toBe(204);
    expect(await stored()).toEqual([]);
    expect((await harness.request('DELETE', path())).status).toBe(204);
  });

  it('outlive the record of their call, for as long as they are kept', async () => {
    await open();
    await say('call me back', 1000);
    expect(await redis.pttl(`earshot:{${callId}}:transcript`)).toBeGreaterThan(23 * 3_600_000);
    await redis.del(`earshot:{${callId}}:record`);
    expect((await shown()).utterances).toHaveLength(1);
    expect(
      (await harness.request<Problem>('GET', '/v1/calls/c_none/transcript')).body,
    ).toMatchObject({ code: 'call_not_found' });
  });
});

describe('without EARSHOT_KEEP_TRANSCRIPTS', () => {
  it('nothing is kept, and there is no subscription for it', async () => {
    const harness = await Harness.open();
    try {
      await harness.start();
      await harness.host();
      await harness.worker();
      const { id } = await harness.attachedCall();
      const answer = await harness.get<Problem>(`/v1/calls/${id}/transcript`);
      expect(answer.body).toMatchObject({ status: 404, code: 'transcript_not_kept' });
      const subscriptions = new Subscriptions({ redisUrl: harness.redis.url });
      await subscriptions.ready();
      const names = (await subscriptions.list()).map(({ name }) => name);
      await subscriptions.close();
      expect(names).toContain('taps');
      expect(names).not.toContain('transcripts');
    } finally {
      await harness.close();
    }
  });
});
