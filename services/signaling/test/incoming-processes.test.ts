import { VirtualClock } from '@earshot/async';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Signaling } from '../src/signaling.js';
import type { TestHost } from './support/harness.js';
import { Harness, TENANT, WAIT } from './support/harness.js';
import { callOfLeg, incomingItem } from './support/incoming.js';
import { stateItem } from './support/notifications.js';

const environment = { EARSHOT_INCOMING: 'all' };

let harness: Harness;
/** The one that calls come in at. */
let first: Signaling;
let second: Signaling;

beforeEach(async () => {
  harness = await Harness.open();
  // It stands still: no call is answered too late for a slow machine.
  const clock = new VirtualClock();
  first = await harness.start({ clock, environment });
  second = await harness.start({ clock, environment });
});
afterEach(async () => {
  await first.close();
  await harness.close();
});

/** Both processes know of the host then. */
async function hostAt(process: Signaling, hostId: string): Promise<TestHost> {
  const host = await harness.hostAt(process, { hostId });
  for (const one of [first, second]) {
    await vi.waitUntil(async () => {
      const { body } = await harness.requestAt<{ hosts: { hostId: string }[] }>(
        one,
        'GET',
        '/v1/hosts',
      );
      return body.hosts.some((seen) => seen.hostId === hostId);
    }, WAIT);
  }
  return host;
}

const webhookOf = ({ url }: Signaling) => `${url}/v1/callbacks/incoming`;

it('a call is answered by the process that has a media host, wherever it came in', async () => {
  const host = await hostAt(second, 'there');
  const leg = harness.graph.ring(webhookOf(first), TENANT);
  expect((await harness.graph.notify([incomingItem(leg, 'user')], { leg })).status).toBe(202);
  const { id } = await callOfLeg(harness, leg, ({ media }) => media.hostId === 'there');
  await vi.waitUntil(() => leg.blob === `blob-${id}`, WAIT);
  expect(leg.callbackUri.startsWith(second.url)).toBe(true);
  await harness.graph.notify([stateItem(leg.id, 'established')], { leg });
  await harness.reaches(id, 'established');
  expect(host.allocated).toEqual([id]);
});

it('a call that two processes are told of at once is answered once', async () => {
  await hostAt(first, 'here');
  await hostAt(second, 'there');
  const legs = Array.from({ length: 5 }, () => harness.graph.ring(webhookOf(first), TENANT));
  await Promise.all(
    legs.flatMap((leg) =>
      [first, second].map((process) =>
        harness.graph.notify([incomingItem(leg, 'user')], {
          leg,
          callbackUri: webhookOf(process),
        }),
      ),
    ),
  );
  for (const leg of legs) {
    await vi.waitUntil(() => leg.blob !== undefined, WAIT);
    await harness.graph.notify([stateItem(leg.id, 'established')], { leg });
    const { id } = await callOfLeg(harness, leg);
    await harness.reaches(id, 'established');
  }
  for (const leg of legs) expect(harness.graph.count('POST', `${leg.id}/answer`)).toBe(1);
});
