import { systemClock } from '@earshot/async/system';
import type { EarshotEvent } from '@earshot/events';
import { PermittedWriter, RecordingGate } from '@earshot/recording-gate';
import { Registry } from '@earshot/registry';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { WholeStack } from './whole-stack.js';
import { API_KEY, startWholeStack } from './whole-stack.js';

const CALLER = 'Recorded Rita';
const WAIT = { timeout: 120_000, interval: 20 };

interface Ringing {
  readonly id: string;
  readonly state: string;
  readonly participantCapacity?: number;
  readonly parties: readonly { readonly outcome: string }[];
}

interface Call {
  readonly id: string;
  readonly state: string;
  readonly direction: string;
  readonly incoming?: { readonly scenario: string };
  readonly recording: { readonly gate: string; readonly status?: string };
}

let stack: WholeStack;

beforeAll(async () => {
  stack = await startWholeStack({
    environment: {
      EARSHOT_INCOMING: 'policyRecording',
      EARSHOT_PARTICIPANT_CAPACITY: '2',
      EARSHOT_RECORD_AT_ONCE: 'true',
    },
  });
  // It must not end before the bot leaves, however slow all is.
  const participants = [{ key: 'ann', displayName: 'Ann' }];
  await stack.sandbox.addMeeting({ name: 'long', durationMs: 12 * 3_600_000, participants });
});
afterAll(() => stack.close());

async function ask<T>(url: string, method = 'GET', body?: object): Promise<T> {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${API_KEY}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return JSON.parse(await response.text());
}

const calls = async () =>
  (await ask<{ calls: Call[] }>(`${stack.signaling.url}/v1/calls?limit=100`)).calls;
const ringing = (id: string) => ask<Ringing>(`${stack.sandbox.ready.url}/sandbox/incoming/${id}`);

/** What was told of a call's recording, and its end. */
function recordingStory(events: readonly EarshotEvent[]): string[] {
  return events.flatMap((event) => {
    switch (event.type) {
      case 'call.incoming':
        return [event.data.scenario];
      case 'recording.gateChanged':
        return [`gate ${event.data.state}`];
      case 'recording.statusChanged':
        return [`${event.data.status} ${event.data.accepted ? 'accepted' : 'refused'}`];
      case 'call.ended':
        return ['ended'];
      default:
        return [];
    }
  });
}

/** Has a recorder follow the gate, and hangs up. */
async function recordAndLeave(registry: Registry, callId: string): Promise<void> {
  const gate = new RecordingGate({ clock: systemClock, staleAfterMs: 60_000 });
  const permit = await vi.waitUntil(async () => {
    gate.follow(await registry.recordingGate(callId));
    return gate.permit();
  }, WAIT);
  const closed = vi.fn();
  const writer = new PermittedWriter<string>(permit, () => ({ write() {}, close: closed }));
  expect(writer.write('audio')).toBe(true);
  // Its media are there: a call that is left before that has no end of them.
  await vi.waitUntil(
    () => stack.events.some((event) => event.callId === callId && event.type === 'media.started'),
    WAIT,
  );
  await ask(`${stack.signaling.url}/v1/calls/${callId}`, 'DELETE');
  await vi.waitUntil(async () => {
    gate.follow(await registry.recordingGate(callId));
    return !gate.isOpen;
  }, WAIT);
  expect(writer.write('more')).toBe(false);
  expect(closed).toHaveBeenCalledTimes(1);
  expect(recordingStory(await stack.ended(callId))).toEqual([
    'policyRecording',
    'gate open',
    'recording accepted',
    'gate closed',
    'notRecording accepted',
    'ended',
  ]);
}

it('a recording policy has the bot called: it answers, may record, and stops before it leaves', async () => {
  const { id } = await ask<Ringing>(`${stack.sandbox.ready.url}/sandbox/incoming`, 'POST', {
    kind: 'policyRecording',
    webhook: `${stack.signaling.url}/v1/callbacks/incoming`,
    meeting: 'long',
    callerName: CALLER,
    legacyFirst: true,
    participants: [{ displayName: 'Bo' }, { displayName: 'Cy', joinAfterMs: 1_500 }],
  });
  // Two fit into the call; for the third another one is made.
  const answered = await vi.waitUntil(async () => {
    const seen = await ringing(id);
    return seen.parties.length === 2 && seen;
  }, WAIT);
  expect(answered).toMatchObject({ state: 'answered', participantCapacity: 2 });
  expect(answered.parties.map(({ outcome }) => outcome)).toEqual(['accepted', 'invited']);
  const both = await vi.waitUntil(async () => {
    const seen = await calls();
    return seen.length === 2 && seen.every(({ recording }) => recording.gate === 'open') && seen;
  }, WAIT);
  expect(both.map(({ direction }) => direction)).toEqual(['incoming', 'incoming']);

  const registry = new Registry({ redisUrl: stack.redis.url, clock: systemClock });
  await registry.ready();
  await Promise.all(both.map(({ id: callId }) => recordAndLeave(registry, callId)));
  await registry.close();
  const text = stack.lines.join('\n');
  expect(text).toContain('call answered');
  for (const secret of [CALLER, ...stack.sandbox.meetings().map(({ joinToken }) => joinToken)]) {
    expect(text).not.toContain(secret);
  }
});
