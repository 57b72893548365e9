import type { CallNotification } from '@earshot/call';
import { initialCallModel, parseNotifications } from '@earshot/call';
import type { EarshotEvent } from '@earshot/events';
import { parseEvent } from '@earshot/events';
import type { CallRecord } from '@earshot/registry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  acceptByGraph,
  applyNotification,
  dropPublished,
  endCall,
} from '../src/calls/call-changes.js';
import { localEnd } from '../src/calls/call-end.js';
import type { ServiceState } from '../src/calls/service-state.js';
import { serviceState, withService } from '../src/calls/service-state.js';
import { endItem, rosterItem, stateItem, toneItem } from './support/notifications.js';

const GRAPH_CALL = '57dab8b1-894c-409a-b240-bd8beae78896';
const OTHER_CALL = '2e1a0b00-2db4-4022-9570-243709c565ab';
const AT_MS = 1_700_000_000_000;

function newRecord(patch: Partial<ServiceState> = {}): CallRecord {
  const service: ServiceState = {
    joinUrlHost: 'teams.microsoft.com',
    graph: 'requested',
    hostHeld: true,
    pendingEvents: [],
    ...patch,
  };
  return {
    callId: 'c_test',
    version: 1,
    createdAtMs: AT_MS,
    joinUrl: '',
    tenantId: 't',
    attemptKey: 'k',
    model: initialCallModel,
    signalingPosition: 0,
    service,
  };
}

function notification(item: unknown): CallNotification {
  const parsed = parseNotifications({ value: [item] });
  const first = parsed.ok ? parsed.items[0] : undefined;
  if (first === undefined) throw new Error('not a notification');
  return first;
}

function eventsOf(record: CallRecord): readonly EarshotEvent[] {
  return serviceState(record).pendingEvents;
}

const graphCallId = fc.constantFrom(GRAPH_CALL, GRAPH_CALL, GRAPH_CALL, OTHER_CALL);
const attendee = fc.record({
  id: fc.constantFrom('p-1', 'p-2', 'p-3'),
  name: fc.constantFrom('Ada', 'Bob'),
  sourceId: fc.constantFrom('1', '2'),
  muted: fc.boolean(),
});
const item = fc.oneof(
  fc
    .tuple(
      graphCallId,
      fc.constantFrom('establishing', 'established', 'terminating', 'hold', 'nonsense'),
    )
    .map(([id, state]) => stateItem(id, state)),
  fc
    .tuple(graphCallId, fc.uniqueArray(attendee, { selector: ({ id }) => id, maxLength: 3 }))
    .map(([id, attendees]) => rosterItem(id, attendees)),
  fc.tuple(graphCallId, fc.nat(9999)).map(([id, subcode]) => endItem(id, 200, subcode)),
);
type Step = (record: CallRecord) => CallRecord;
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: item.map(
      (i): Step =>
        (r) =>
          applyNotification(r, notification(i), AT_MS),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>((r) => endCall(r, localEnd('media_failed', AT_MS))) },
  { weight: 1, arbitrary: fc.constant<Step>((r) => withService(r, { hangUpAtMs: AT_MS })) },
  {
    weight: 1,
    arbitrary: fc.constant<Step>((r) => acceptByGraph(r, { graphCallId: GRAPH_CALL }, AT_MS)),
  },
);
const history = fc
  .array(step, { maxLength: 30 })
  .map((steps) => steps.reduce((record, apply) => apply(record), newRecord()));

describe('the history of a call', () => {
  it('tells events that are valid, without holes, under ids that follow from their position', () => {
    fc.assert(
      fc.property(history, (record) => {
        const events = eventsOf(record);
        expect(events.map(({ position }) => position)).toEqual([...events.keys()]);
        expect(events.map(({ id }) => id)).toEqual(events.map((_, n) => `c_test.s${n}`));
        expect(record.signalingPosition).toBe(events.length);
        for (const event of events) expect(parseEvent(event)).toEqual(event);
      }),
    );
  });

  it('is a chain of states with at most one end, which is told last', () => {
    fc.assert(
      fc.property(history, (record) => {
        const events = eventsOf(record);
        let state = 'establishing';
        for (const event of events) {
          if (event.type !== 'call.stateChanged') continue;
          expect(event.data.from).toBe(state);
          state = event.data.to;
        }
        expect(record.model.state).toBe(state);
        const ends = events.filter(({ type }) => type === 'call.ended');
        const { end } = serviceState(record);
        expect(ends.length).toBe(end === undefined ? 0 : 1);
        if (end === undefined) return;
        expect(events.at(-1)?.type).toBe('call.ended');
        expect(state).toBe('terminated');
      }),
    );
  });

  it('has everyone join before they are updated or leave', () => {
    fc.assert(
      fc.property(history, (record) => {
        const present = new Set<string>();
        for (const { type, participant } of eventsOf(record)) {
          const id = participant?.id ?? '';
          if (type === 'participant.joined') expect(present.size).toBe(present.add(id).size - 1);
          if (type === 'participant.updated') expect(present.has(id)).toBe(true);
          if (type === 'participant.left') expect(present.delete(id)).toBe(true);
        }
      }),
    );
  });

  it('does not change when its last notification comes again, as after a crash', () => {
    fc.assert(
      fc.property(history, item, (before, last) => {
        const once = applyNotification(before, notification(last), AT_MS);
        const twice = applyNotification(once, notification(last), AT_MS + 1);
        expect(eventsOf(twice)).toEqual(eventsOf(once));
        expect(serviceState(twice)).toEqual(serviceState(once));
      }),
    );
  });

  it('outlives being stored', () => {
    fc.assert(
      fc.property(history, (record) => {
        const stored: CallRecord = JSON.parse(JSON.stringify(record));
        expect(serviceState(stored)).toEqual(serviceState(record));
      }),
    );
  });
});

describe('a call that ended here', () => {
  const ended = endCall(newRecord(), localEnd('graph_unavailable', AT_MS));

  it('learns from a callback that it lives on in Graph', () => {
    const record = applyNotification(
      ended,
      notification(stateItem(GRAPH_CALL, 'established')),
      AT_MS,
    );
    expect(serviceState(record).graph).toBe('present');
    expect(record.model).toMatchObject({ graphCallId: GRAPH_CALL, state: 'terminated' });
    expect(eventsOf(record)).toEqual(eventsOf(ended));
  });

  it('learns from a callback that it is over in Graph too', () => {
    const record = applyNotification(ended, notification(endItem(GRAPH_CALL, 200, 7000)), AT_MS);
    expect(serviceState(record).graph).toBe('gone');
  });

  it('ends only once', () => {
    expect(endCall(ended, localEnd('hung_up', AT_MS))).toBe(ended);
  });
});

describe('the state of a record', () => {
  it('is checked once, not again with each event that is added', () => {
    const record = newRecord();
    const state = serviceState(record);
    expect(serviceState(record)).toBe(state);
    const changed = withService(record, { hostHeld: false });
    expect(serviceState(changed)).toBe(changed.service);
    expect(serviceState(changed)).toEqual({ ...state, hostHeld: false });
    expect(serviceState(record).hostHeld).toBe(true);
  });
});

describe('a tone that Graph tells of', () => {
  const alone = [{ id: 'p-1', name: 'Ada', sourceId: '1' }];
  const established = [
    stateItem(GRAPH_CALL, 'established'),
    rosterItem(GRAPH_CALL, alone),
  ].reduce<CallRecord>(
    (record, i) => applyNotification(record, notification(i), AT_MS),
    newRecord(),
  );

  function pressed(record: CallRecord, ...tones: readonly [number, string][]): EarshotEvent[] {
    const after = tones.reduce<CallRecord>(
      (next, [sequence, tone]) =>
        applyNotification(next, notification(toneItem(GRAPH_CALL, sequence, tone)), AT_MS + 1500),
      record,
    );
    return eventsOf(after).filter(({ type }) => type === 'tone.detected');
  }

  it('is told once by its number, in the time of the call', () => {
    const told = pressed(
      established,
      [1, 'tone5'],
      [1, 'tone5'],
      [2, 'pound'],
      [3, 'flash'],
      [1, 'tone5'],
    );
    expect(told.map(({ data }) => data)).toMatchObject([
      { kind: 'dtmf', digit: '5', origin: 'graph', startMs: 1500, durationMs: 0, levelDbfs: null },
      { kind: 'dtmf', digit: '#', origin: 'graph' },
    ]);
    for (const event of told) expect(parseEvent(event)).toEqual(event);
  });

  it('is the only other one’s in the call, and nobody’s among several', () => {
    expect(pressed(established, [1, 'tone5'])[0]).toMatchObject({
      participant: { id: 'p-1', displayName: 'Ada' },
      sourceId: '1',
      mediaTimeMs: null,
    });
    const two = rosterItem(GRAPH_CALL, [...alone, { id: 'p-2', name: 'Bob', sourceId: '2' }]);
    const both = applyNotification(established, notification(two), AT_MS);
    expect(pressed(both, [1, 'tone5'])[0]).toMatchObject({ participant: null, sourceId: null });
  });
});

describe('dropPublished', () => {
  it('keeps what came after', () => {
    const record = endCall(newRecord(), localEnd('hung_up', AT_MS));
    expect(eventsOf(dropPublished(record, 0)).map(({ position }) => position)).toEqual([1]);
    expect(eventsOf(dropPublished(record, 1))).toEqual([]);
    expect(dropPublished(record, 1).signalingPosition).toBe(2);
  });
});
