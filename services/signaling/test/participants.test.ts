import { VirtualClock } from '@earshot/async';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { OperationView } from '../src/rest/operation-schemas.js';
import type { RosterView } from '../src/rest/participant-schemas.js';
import { rosterView } from '../src/rest/participant-schemas.js';
import type { Answer, Problem } from './support/harness.js';
import { Harness, WAIT } from './support/harness.js';
import { rosterItem } from './support/notifications.js';

describe('participants of a call', () => {
  let harness: Harness;
  let call: { id: string; graphCallId: string };
  /** Stands still: after 3 s Graph would be asked for the roster, as the bot is not in it. */
  const clock = new VirtualClock();
  const ADA = { id: '3f2b0d5c-0000-4000-8000-00000000000a', name: 'Ada', sourceId: '11' };
  const GRACE = { id: '3f2b0d5c-0000-4000-8000-00000000000b', name: 'Grace', sourceId: '12' };

  beforeAll(async () => {
    harness = await Harness.open();
    await harness.start({ clock });
    await harness.host({ capacity: 100 });
    await harness.worker();
    call = await harness.attachedCall();
    await harness.graph.notify([rosterItem(call.graphCallId, [GRACE, ADA])]);
    await vi.waitUntil(async () => (await list()).body.participants.length === 2, WAIT);
  });

  afterAll(() => harness.close());

  it('are listed by id, page by page', async () => {
    const first = (await list('?limit=1')).body;
    expect(first.participants).toMatchObject([
      { id: ADA.id, displayName: 'Ada', kind: 'user', sourceIds: ['11'], isSelf: false },
    ]);
    const second = (await list(`?limit=1&cursor=${first.nextCursor}`)).body;
    expect(second.participants).toMatchObject([{ id: GRACE.id }]);
    expect(second).not.toHaveProperty('nextCursor');
    expect(rosterView.parse(second)).toEqual(second);
    expect((await list('?presence=lobby')).body.participants).toEqual([]);
  });

  it('are found by their id in any form', async () => {
    const form = ADA.id.replaceAll('-', '').toUpperCase();
    const answer = await harness.get<{ id: string }>(`/v1/calls/${call.id}/participants/${form}`);
    expect(answer.body.id).toBe(ADA.id);
    const other = await harness.get<Problem>(`/v1/calls/${call.id}/participants/nobody`);
    expect(other.body).toMatchObject({ status: 404, code: 'participant_not_found' });
  });

  it.each([
    ['POST', '/mute', 'POST', '/mute', 'muteParticipant'],
    ['POST', '/hold-music', 'POST', '/startHoldMusic', 'startHoldMusic'],
    ['DELETE', '/hold-music', 'POST', '/stopHoldMusic', 'stopHoldMusic'],
    ['DELETE', '', 'DELETE', '', 'removeParticipant'],
  ])('%s …%s asks Graph', async (method, path, sentMethod, action, kind) => {
    const url = `/v1/calls/${call.id}/participants/${ADA.id}${path}`;
    const answer = await harness.request<OperationView>(method, url);
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ kind, status: 'completed', participantId: ADA.id });
    expect(harness.graph.requests.at(-1)).toMatchObject({
      method: sentMethod,
      path: `/v1.0/communications/calls/${call.graphCallId}/participants/${ADA.id}${action}`,
    });
    const before = harness.graph.requests.length;
    const nobody = url.replace(ADA.id, 'nobody');
    expect((await harness.request<Problem>(method, nobody)).body.code).toBe(
      'participant_not_found',
    );
    expect(harness.graph.requests).toHaveLength(before);
  });

  it('are brought in', async () => {
    const answer = await harness.request<OperationView>(
      'POST',
      `/v1/calls/${call.id}/participants`,
      {
        participants: [
          { kind: 'user', id: ADA.id, replacesCallId: call.id },
          { kind: 'phone', id: '+12065550100' },
        ],
      },
    );
    expect(answer.body).toMatchObject({ kind: 'inviteParticipants', status: 'running' });
    expect(harness.graph.requests.at(-1)?.body).toMatchObject({
      participants: [
        { identity: { user: { id: ADA.id } }, replacesCallId: call.graphCallId },
        { identity: { phone: { id: '+12065550100' } } },
      ],
    });
    expect(JSON.stringify(answer.body)).not.toContain('+1206');
  });

  it('are remembered once they left', async () => {
    await harness.graph.notify([rosterItem(call.graphCallId, [ADA])]);
    const left = await vi.waitUntil(async () => {
      const { participants } = (await list('?presence=left')).body;
      return participants.length === 1 && participants;
    }, WAIT);
    expect(left).toMatchObject([{ id: GRACE.id, displayName: 'Grace', isSelf: false }]);
    expect(left[0]?.leftAt).toBe(new Date(clock.wallclockMs()).toISOString());
    const read = await harness.get<{ leftAt: string }>(
      `/v1/calls/${call.id}/participants/${GRACE.id}`,
    );
    expect(read.body.leftAt).toBe(left[0]?.leftAt);
    await harness.graph.notify([rosterItem(call.graphCallId, [ADA, GRACE])]);
    await vi.waitUntil(
      async () => (await list('?presence=left')).body.participants.length === 0,
      WAIT,
    );
  });

  function list(query = ''): Promise<Answer<RosterView>> {
    return harness.get(`/v1/calls/${call.id}/participants${query}`);
  }
});
