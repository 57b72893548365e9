import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HealthView, HostListView, WorkerListView } from '../src/rest/deployment-schemas.js';
import { healthView, hostListView, workerListView } from '../src/rest/deployment-schemas.js';
import type { Problem } from './support/harness.js';
import { Harness } from './support/harness.js';

describe('the parts of a deployment', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await Harness.open();
    await harness.start();
    for (const hostId of ['host-b', 'host-c', 'host-a']) await harness.host({ hostId });
    for (const workerId of ['w-2', 'w-1']) await harness.worker(workerId);
    await harness.worker('w-3', { draining: true });
  });

  afterAll(() => harness.close());

  it('lists hosts by id, page by page', async () => {
    const first = (await harness.get<HostListView>('/v1/hosts?limit=2')).body;
    expect(first.hosts.map(({ hostId }) => hostId)).toEqual(['host-a', 'host-b']);
    const second = await harness.get<HostListView>(
      `/v1/hosts?limit=2&cursor=${first.nextCursor ?? ''}`,
    );
    expect(second.body.hosts.map(({ hostId }) => hostId)).toEqual(['host-c']);
    expect(second.body).not.toHaveProperty('nextCursor');
    expect(hostListView.parse(first)).toEqual(first);
  });

  it('lists the workers of all processes', async () => {
    const { body } = await harness.get<WorkerListView>('/v1/workers');
    expect(body.workers.map(({ workerId }) => workerId)).toEqual(['w-1', 'w-2', 'w-3']);
    expect(body.workers[2]).toMatchObject({ draining: true, load: 0 });
    expect(workerListView.parse(body)).toEqual(body);
  });

  it.each(['x', '%00', '!'])('refuses the cursor %j', async (cursor) => {
    const answer = await harness.get<Problem>(`/v1/workers?cursor=${cursor}`);
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid_cursor' });
  });

  it('sums them up', async () => {
    const { body } = await harness.get<HealthView>('/v1/health');
    expect(healthView.parse(body)).toEqual(body);
    expect(body).toMatchObject({
      hosts: { connected: 3, draining: 0, capacity: 30 },
      workers: { alive: 3, draining: 1 },
      calls: { open: 0 },
    });
    expect(body.checks['redis_away_seconds']).toMatchObject({ failing: false });
  });
});
