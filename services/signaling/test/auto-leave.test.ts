import type { CallNotification } from '@earshot/call';
import { initialCallModel, parseNotifications } from '@earshot/call';
import type { CallRecord } from '@earshot/registry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Leaving } from '../src/calls/auto-leave.js';
import { autoLeftEnd, leavingsOf, noteSpeech } from '../src/calls/auto-leave.js';
import { acceptByGraph, applyNotification, endCall } from '../src/calls/call-changes.js';
import { dutiesOf } from '../src/calls/duties.js';
import { serviceState, withService } from '../src/calls/service-state.js';
import type { AutoLeaveLimits } from '../src/calls/stay-state.js';
import { AUTO_LEAVE_RULES } from '../src/calls/stay-state.js';
import { limitsOf } from '../src/rest/auto-leave-schemas.js';
import type { Attendee } from './support/notifications.js';
import { rosterItem, stateItem } from './support/notifications.js';

const GRAPH_CALL = '57dab8b1-894c-409a-b240-bd8beae78896';
const AT_MS = 1_700_000_000_000;
const MINUTE_MS = 60_000;

const LIMITS: AutoLeaveLimits = {
  aloneMs: 5 * MINUTE_MS,
  nobodyCameMs: 20 * MINUTE_MS,
  maxDurationMs: 240 * MINUTE_MS,
  silentMs: 60 * MINUTE_MS,
  lobbyMs: 10 * MINUTE_MS,
  botsAreCompany: false,
};

const BOT: Attendee = { id: 'bot', name: 'Bot', sourceId: '1', kind: 'application' };
const ADA: Attendee = { id: 'ada', name: 'Ada', sourceId: '2' };
const OTHER_BOT: Attendee = { id: 'bot2', name: 'Other', sourceId: '3', kind: 'application' };

function notification(item: unknown): CallNotification {
  const parsed = parseNotifications({ value: [item] });
  const first = parsed.ok ? parsed.items[0] : undefined;
  if (first === undefined) throw new Error('not a notification');
  return first;
}

function accepted(limits: AutoLeaveLimits = LIMITS): CallRecord {
  const record: CallRecord = {
    callId: 'c_test',
    version: 1,
    createdAtMs: AT_MS,
    joinUrl: '',
    tenantId: 't',
    attemptKey: 'k',
    model: initialCallModel,
    signalingPosition: 0,
    service: {
      joinUrlHost: 'teams.microsoft.com',
      graph: 'requested',
      hostHeld: true,
      autoLeave: { limits },
      pendingEvents: [],
    },
  };
  return acceptByGraph(record, { graphCallId: GRAPH_CALL, myParticipantId: 'bot' }, AT_MS);
}

/** At each minute, what Graph tells then. */
function told(
  items: readonly (readonly [minute: number, item: unknown])[],
  limits: AutoLeaveLimits = LIMITS,
): CallRecord {
  return items.reduce(
    (record, [minute, item]) =>
      applyNotification(record, notification(item), AT_MS + minute * MINUTE_MS),
    accepted(limits),
  );
}

/** Which rules make it leave, and after how many minutes. */
function leavings(record: CallRecord): string[] {
  return leavingsOf(record, serviceState(record)).map(
    ({ rule, dueAtMs }: Leaving) => `${rule} ${(dueAtMs - AT_MS) / MINUTE_MS}`,
  );
}

function eventsOf(record: CallRecord): string[] {
  return serviceState(record).pendingEvents.map(({ type, data }) =>
    type === 'call.lobby' ? `${type} ${'state' in data ? data.state : ''}` : type,
  );
}

const ESTABLISHED = [0, stateItem(GRAPH_CALL, 'established')] as const;

function roster(...attendees: Attendee[]): unknown {
  return rosterItem(GRAPH_CALL, attendees);
}

describe('the rules by which a bot leaves', () => {
  it('count from the last person who left', () => {
    const record = told([ESTABLISHED, [1, roster(BOT, ADA)], [7, roster(BOT)]]);
    expect(leavings(record)).toEqual(['alone 12', 'maxDuration 240']);
  });

  it('forget being alone when somebody comes back', () => {
    const record = told([
      ESTABLISHED,
      [1, roster(BOT, ADA)],
      [7, roster(BOT)],
      [8, roster(BOT, ADA)],
    ]);
    expect(leavings(record)).toEqual(['maxDuration 240']);
  });

  it('wait longer for people who have not come yet', () => {
    expect(leavings(told([ESTABLISHED, [1, roster(BOT)]]))).toEqual([
      'nobodyCame 20',
      'maxDuration 240',
    ]);
  });

  it('count from when the bot was let in', () => {
    const waiting = told([ESTABLISHED, [1, roster({ ...BOT, inLobby: true })]]);
    expect(leavings(waiting)).toEqual(['lobby 11']);
    const admitted = applyNotification(waiting, notification(roster(BOT)), AT_MS + 9 * MINUTE_MS);
    expect(leavings(admitted)).toEqual(['nobodyCame 29', 'maxDuration 240']);
    expect(eventsOf(admitted).filter((event) => event.startsWith('call.lobby'))).toEqual([
      'call.lobby waiting',
      'call.lobby admitted',
    ]);
  });

  it('apply in the lobby of a call that is not established', () => {
    const record = told([[1, roster({ ...BOT, inLobby: true })]]);
    const kinds = dutiesOf(record, serviceState(record), { hostConnected: true, hostSinceMs: 0 });
    expect(kinds.map(({ kind }) => kind)).toContain('autoLeave');
    expect(leavings(record)).toEqual(['lobby 11']);
  });

  it.each([
    ['another bot', OTHER_BOT, ['nobodyCame 20', 'maxDuration 240']],
    ['somebody in the lobby', { ...ADA, inLobby: true }, ['nobodyCame 20', 'maxDuration 240']],
    ['a guest', { ...ADA, kind: 'guest' }, ['maxDuration 240']],
    ['a telephone', { ...ADA, kind: 'phone' }, ['maxDuration 240']],
    ['somebody hidden from the app', { ...ADA, kind: 'encrypted' }, ['maxDuration 240']],
  ])('know company: %s', (_name, attendee, expected) => {
    expect(leavings(told([ESTABLISHED, [1, roster(BOT, attendee)]]))).toEqual(expected);
  });

  it('take bots for company where that is set', () => {
    const limits = { ...LIMITS, botsAreCompany: true };
    expect(leavings(told([ESTABLISHED, [1, roster(BOT, OTHER_BOT)]], limits))).toEqual([
      'maxDuration 240',
    ]);
  });

  it('do not trust a roster without the bot itself', () => {
    expect(leavings(told([ESTABLISHED, [1, roster()]]))).toEqual(['maxDuration 240']);
    expect(leavings(told([ESTABLISHED, [1, roster(ADA)], [2, roster(OTHER_BOT)]]))).toEqual([
      'maxDuration 240',
    ]);
  });

  it('count silence from the last word, while the audio comes', () => {
    const record = told([ESTABLISHED, [1, roster(BOT, ADA)]]);
    const attached = withService(record, { attachedAtMs: AT_MS + 2 * MINUTE_MS });
    expect(leavings(attached)).toEqual(['silent 62', 'maxDuration 240']);
    const spoke = noteSpeech(attached, AT_MS + 30 * MINUTE_MS);
    expect(leavings(spoke)).toEqual(['silent 90', 'maxDuration 240']);
    expect(noteSpeech(spoke, AT_MS)).toBe(spoke);
    const move = { cause: 'failed', sinceMs: AT_MS, dueAtMs: AT_MS } as const;
    expect(leavings(withService(spoke, { move }))).toEqual(['maxDuration 240']);
  });

  it.each(AUTO_LEAVE_RULES)('may be off: %s', (rule) => {
    const record = told([ESTABLISHED, [1, roster({ ...BOT, inLobby: rule === 'lobby' })]], {
      ...LIMITS,
      [`${rule}Ms`]: undefined,
    });
    expect(leavings(record).filter((line) => line.startsWith(rule))).toEqual([]);
  });

  it('end the call with the rule named, and only when it is due', () => {
    const record = told([ESTABLISHED, [1, roster(BOT, ADA)], [7, roster(BOT)]]);
    expect(autoLeftEnd(record, AT_MS + 12 * MINUTE_MS - 1)).toBeUndefined();
    const end = autoLeftEnd(record, AT_MS + 12 * MINUTE_MS);
    expect(end).toMatchObject({
      code: 'auto_left',
      kind: 'auto_left',
      rule: 'alone',
      retryClass: 'normal',
      reason: 'The bot left: it had been alone for 5 minutes.',
    });
    if (end === undefined) return;
    const ended = endCall(record, end);
    expect(serviceState(ended).pendingEvents.at(-1)).toMatchObject({
      type: 'call.ended',
      data: { cause: 'auto_left', kind: 'auto_left', rule: 'alone' },
    });
    expect(autoLeftEnd(ended, AT_MS + 13 * MINUTE_MS)).toBeUndefined();
  });

  it('do nothing to a call that is being hung up', () => {
    const record = told([ESTABLISHED, [1, roster(BOT)]]);
    const hungUp = withService(record, { hangUpAtMs: AT_MS + MINUTE_MS });
    expect(autoLeftEnd(hungUp, AT_MS + 500 * MINUTE_MS)).toBeUndefined();
    const duties = dutiesOf(hungUp, serviceState(hungUp), { hostConnected: true, hostSinceMs: 0 });
    expect(duties.map(({ kind }) => kind)).not.toContain('autoLeave');
  });

  it('say the same however often a roster is told (property)', () => {
    const one = fc.constantFrom(
      roster(BOT),
      roster(BOT, ADA),
      roster(BOT, OTHER_BOT),
      roster({ ...BOT, inLobby: true }),
      stateItem(GRAPH_CALL, 'established'),
    );
    fc.assert(
      fc.property(fc.array(one, { maxLength: 8 }), (items) => {
        const steps = items.map((item, minute) => [minute, item] as const);
        const twice = steps.flatMap(([minute, item]) => [
          [minute, item] as const,
          [minute + 0.5, item] as const,
        ]);
        expect(leavings(told(twice))).toEqual(leavings(told(steps)));
      }),
    );
  });
});

describe('limits of a call', () => {
  it('are those asked for, before those of the service', () => {
    const limits = limitsOf(LIMITS, {
      aloneSeconds: 30,
      silentSeconds: null,
      botsAreCompany: true,
    });
    expect(limits).toEqual({
      ...LIMITS,
      aloneMs: 30_000,
      silentMs: undefined,
      botsAreCompany: true,
    });
    expect(limitsOf(LIMITS)).toEqual(LIMITS);
  });
});
