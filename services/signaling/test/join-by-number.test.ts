import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness, JOIN_URL, TENANT } from './support/harness.js';

describe('a meeting named by its number', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await Harness.open();
    await harness.start();
    await harness.host({ capacity: 100 });
  });

  afterAll(() => harness.close());

  const NUMBER = { meetingId: '273 598 234 567 1', passcode: 'Ab1cD', tenantId: TENANT };

  it('is joined by number and passcode', async () => {
    const { status, body } = await harness.join(NUMBER);
    expect(status).toBe(201);
    expect(body.tenantId).toBe(TENANT);
    expect(JSON.stringify(body)).not.toContain('Ab1cD');
    expect(harness.graph.requests.at(-1)?.body).toMatchObject({
      tenantId: TENANT,
      meetingInfo: { joinMeetingId: '2735982345671', passcode: 'Ab1cD' },
    });
    expect(harness.graph.requests.at(-1)?.body).not.toHaveProperty('chatInfo');
  });

  it('is the same for an idempotency key, however it is written', async () => {
    const headers = { 'idempotency-key': 'number' };
    const first = await harness.join(NUMBER, headers);
    const again = await harness.join({ ...NUMBER, meetingId: '2735982345671' }, headers);
    const other = await harness.join({ ...NUMBER, meetingId: '999999' }, headers);
    expect(again.body.id).toBe(first.body.id);
    expect(other.body.code).toBe('idempotency_key_reused');
  });

  it.each([
    [{ ...NUMBER, joinUrl: JOIN_URL }, 400, 'invalid_request'],
    [{ passcode: 'Ab1cD' }, 400, 'invalid_request'],
    [{ ...NUMBER, meetingId: 'no number' }, 422, 'malformed_meeting_id'],
    [{ meetingId: '273598234' }, 422, 'missing_tenant'],
  ])('%j is refused: %i %s', async (names, status, code) => {
    const answer = await harness.join(names);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ code });
    expect(JSON.stringify(answer.body)).not.toContain('Ab1cD');
  });
});
