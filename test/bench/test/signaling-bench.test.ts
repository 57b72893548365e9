import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseNotifications } from '@earshot/call';
import { expect, test } from 'vitest';
import { rosterBody, stateBody } from '../src/signaling/bench-notifications.js';
import { signalingToJson } from '../src/signaling/signaling-result.js';

const BENCH = fileURLToPath(new URL('../../../scripts/bench.mjs', import.meta.url));

test('the result is one line with numbers as long as they mean something', () => {
  expect(
    signalingToJson({
      callbacksPerSecondPerCore: 2199.3456,
      ackP99Ms: 48.07712,
      joinsPerMinute: 4104.4,
      rosterUpdateMsFor1000Participants: 4.12345,
    }),
  ).toBe(
    '{"callbacksPerSecondPerCore":2199,"ackP99Ms":48.08,"joinsPerMinute":4104,"rosterUpdateMsFor1000Participants":4.123}',
  );
});

test('its notifications are understood', () => {
  const id = '57dab8b1-894c-409a-b240-bd8beae78896';
  const read = (body: string) => parseNotifications(JSON.parse(body));
  expect(read(stateBody(id, 'terminated'))).toMatchObject({
    items: [{ graphCallId: id, kind: 'call', call: { state: 'terminated' } }],
  });
  const roster = read(rosterBody(id, 3, { muted: 1, sequence: 7 }));
  expect(roster).toMatchObject({
    items: [
      {
        kind: 'roster',
        participants: [
          { isMuted: false, audioSourceIds: ['100'], rosterSequence: 1 },
          { isMuted: true, identity: { displayName: 'Participant 1' }, rosterSequence: 7 },
          { isMuted: false },
        ],
      },
    ],
  });
});

// What is fast on one machine is not on another: only that all is measured, and makes sense.
test('a quick run of signaling ends with one line of JSON', { timeout: 480_000 }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    BENCH,
    'signaling',
    '--quick',
    '--json',
  ]);
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  const result: Record<string, unknown> = JSON.parse(lines[0] ?? '');
  expect(Object.keys(result)).toEqual([
    'callbacksPerSecondPerCore',
    'ackP99Ms',
    'joinsPerMinute',
    'rosterUpdateMsFor1000Participants',
  ]);
  for (const figure of Object.values(result)) expect(figure).toBeGreaterThan(0);
});
