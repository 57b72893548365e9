import { DEFAULT_LISTENING } from '@earshot/listening';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Problem } from './support/harness.js';
import { Harness, JOIN_URL, WAIT } from './support/harness.js';
import { callOfLeg, ring } from './support/incoming.js';

const OF_SERVICE = { ...DEFAULT_LISTENING, tones: ['beep'] };
const DICTATION = {
  language: 'de-DE',
  engines: null,
  partials: true,
  endpointMs: 800,
  maxUtteranceMs: 20_000,
};

describe('what is listened for', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await Harness.open();
    await harness.start({
      environment: { EARSHOT_INCOMING: 'all', EARSHOT_LISTENING: '{"tones":["beep"]}' },
    });
    await harness.host();
    await harness.worker();
  });

  afterAll(() => harness.close());

  const pathOf = (id: string) => `/v1/calls/${id}/listening`;
  const post = (listening: unknown) =>
    harness.request<{ id: string }>('POST', '/v1/calls', { joinUrl: JOIN_URL, listening });

  it('is what the request says, and else what the service has', async () => {
    const plain = await post(undefined);
    expect((await harness.get(pathOf(plain.body.id))).body).toEqual(OF_SERVICE);
    const asked = await post({ dictation: { language: 'de-DE' } });
    expect(asked.status).toBe(201);
    const expected = { ...OF_SERVICE, dictation: DICTATION };
    expect((await harness.get(pathOf(asked.body.id))).body).toEqual(expected);
    expect(await harness.registry.listening(asked.body.id)).toEqual(expected);
  });

  it('of a call that comes in is what the service has', async () => {
    const { leg } = await ring(harness, 'user');
    const { id } = await callOfLeg(harness, leg, () => true);
    await vi.waitUntil(async () => (await harness.registry.listening(id)) !== undefined, WAIT);
    expect((await harness.get(pathOf(id))).body).toEqual(OF_SERVICE);
  });

  it('is changed part by part while the call goes on, and that is audited', async () => {
    const { id } = (await post({ tones: ['busy'] })).body;
    const first = await harness.request('PATCH', pathOf(id), {
      phrases: { phrases: ['call me back'] },
    });
    expect(first).toMatchObject({
      status: 200,
      body: { tones: ['busy'], phrases: { phrases: ['call me back'], minConfidence: 0.5 } },
    });
    const second = await harness.request('PATCH', pathOf(id), { phrases: null, tones: null });
    expect(second.body).toEqual(DEFAULT_LISTENING);
    await vi.waitUntil(async () => {
      const { body } = await harness.get<{ records: { action: string; callId?: string }[] }>(
        '/v1/audit',
      );
      return (
        body.records.filter(
          ({ action, callId }) => action === 'PATCH /v1/calls/:id/listening' && callId === id,
        ).length === 2
      );
    }, WAIT);
  });

  it('must be settings that there are, of a call that there is', async () => {
    const { id } = (await post(undefined)).body;
    for (const wrong of [{ tone: [] }, { dictation: { endpointMs: 1 } }, { phrases: {} }]) {
      const answer = await harness.request<Problem>('PATCH', pathOf(id), wrong);
      expect(answer.body, JSON.stringify(wrong)).toMatchObject({
        status: 400,
        code: 'invalid_request',
      });
      expect((await post(wrong)).status, JSON.stringify(wrong)).toBe(400);
    }
    expect((await harness.get<Problem>(pathOf('c_none'))).body).toMatchObject({
      code: 'call_not_found',
    });
  });
});
