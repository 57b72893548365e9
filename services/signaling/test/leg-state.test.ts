import type { CallNotification } from '@earshot/call';
import { initialCallModel, parseNotifications } from '@earshot/call';
import type { CallRecord } from '@earshot/registry';
import { describe, expect, it } from 'vitest';
import { applyNotification } from '../src/calls/call-changes.js';
import type { LegState } from '../src/calls/leg-state.js';
import { isSignOfLife, straysLeft, withStray } from '../src/calls/leg-state.js';
import type { ServiceState } from '../src/calls/service-state.js';
import { serviceState } from '../src/calls/service-state.js';
import { endItem, rosterItem, stateItem } from './support/notifications.js';

const LEG = '57dab8b1-894c-409a-b240-bd8beae78896';
const ME = { id: 'me', name: 'Earshot', sourceId: '7' };
const AT_MS = 1_700_000_000_000;

function notification(item: unknown): CallNotification {
  const parsed = parseNotifications({ value: [item] });
  const [first] = parsed.ok ? parsed.items : [];
  if (first === undefined) throw new Error('not a notification');
  return first;
}

describe('a call that waits for people', () => {
  const service: ServiceState = {
    joinUrlHost: 'teams.microsoft.com',
    graph: 'present',
    hostHeld: true,
    keptAliveAtMs: AT_MS,
    pendingEvents: [],
  };
  const record: CallRecord = {
    callId: 'c_test',
    version: 1,
    createdAtMs: AT_MS,
    joinUrl: '',
    tenantId: 't',
    attemptKey: 'k',
    model: { ...initialCallModel, graphCallId: LEG, myParticipantId: 'me' },
    signalingPosition: 0,
    service,
  };
  const waitedUntil = (...items: unknown[]): number | undefined => {
    const folded = items.reduce<CallRecord>(
      (one, item, index) => applyNotification(one, notification(item), AT_MS + index),
      record,
    );
    return serviceState(folded).leg?.waitedUntilMs;
  };

  it('is watched from the moment that it is let in', () => {
    const inLobby = rosterItem(LEG, [{ ...ME, inLobby: true }]);
    expect(waitedUntil(inLobby)).toBeUndefined();
    expect(waitedUntil(inLobby, rosterItem(LEG, [ME]))).toBe(AT_MS + 1);
  });

  it('is watched from the moment that it rings no more', () => {
    expect(waitedUntil(stateItem(LEG, 'ringing'), stateItem(LEG, 'established'))).toBe(AT_MS + 1);
  });

  it('is no other', () => {
    expect(waitedUntil(stateItem(LEG, 'establishing'), rosterItem(LEG, [ME]))).toBeUndefined();
  });
});

describe('legs of earlier attempts', () => {
  const after = (...items: unknown[]): LegState =>
    items.reduce<LegState>((leg, item) => withStray(leg, notification(item), AT_MS), {});

  it('are known by any sign of life, once each', () => {
    for (const item of [stateItem(LEG, 'established'), rosterItem(LEG, [ME])]) {
      expect(straysLeft(after(item, item))).toEqual([
        { graphCallId: LEG, foundAtMs: AT_MS, isGone: false },
      ]);
    }
  });

  it('are gone when Graph says so, and need nothing that had ended before', () => {
    const end = endItem(LEG, 200, 7000);
    expect(straysLeft(after(stateItem(LEG, 'established'), end))).toEqual([]);
    expect(after(end)).toEqual({});
    // What was long on its way brings none of them back.
    expect(straysLeft(after(stateItem(LEG, 'hold'), end, stateItem(LEG, 'hold')))).toEqual([]);
  });

  it('are bounded', () => {
    const items = Array.from({ length: 20 }, (_, n) => stateItem(`leg-${n}`, 'established'));
    expect(straysLeft(after(...items)).map(({ graphCallId }) => graphCallId)).toEqual(
      Array.from({ length: 8 }, (_, n) => `leg-${n + 12}`),
    );
  });
});

describe('a sign of life', () => {
  it.each([
    [stateItem(LEG, 'establishing'), true],
    [stateItem(LEG, 'nonsense'), true],
    [rosterItem(LEG, []), true],
    [stateItem(LEG, 'terminating'), false],
    [stateItem(LEG, 'terminated'), false],
    [endItem(LEG, 200, 7000), false],
    [{ changeType: 'deleted', resourceUrl: `/communications/calls/${LEG}/operations/1` }, false],
    [{ changeType: 'updated', resourceUrl: '/elsewhere' }, false],
  ])('%j: %s', (item, expected) => {
    expect(isSignOfLife(notification(item))).toBe(expected);
  });
});
