import type { CallModel, Participant } from '@earshot/call';
import { initialCallModel } from '@earshot/call';
import type { CallRecord } from '@earshot/registry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localEnd } from '../src/calls/call-end.js';
import type { Surroundings } from '../src/calls/duties.js';
import {
  DELETE_EFFORT_MS,
  dutiesOf,
  HANG_UP_GRACE_MS,
  HOST_GRACE_MS,
  KEEP_ALIVE_INTERVAL_MS,
  LAST_AUDIO_MS,
  WATCHDOG_MS,
} from '../src/calls/duties.js';
import type { HostLoad } from '../src/calls/host-picker.js';
import { HostAssignments, pickHost } from '../src/calls/host-picker.js';
import { LEG_LIFE_MS } from '../src/calls/leg-state.js';
import type { ServiceState } from '../src/calls/service-state.js';

const CREATED_MS = 1_000_000;
const HERE: Surroundings = { hostConnected: true, hostSinceMs: 0 };
const AWAY: Surroundings = { hostConnected: false, hostSinceMs: CREATED_MS };

const FRESH: ServiceState = {
  joinUrlHost: 'teams.microsoft.com',
  graph: 'present',
  hostHeld: true,
  keptAliveAtMs: CREATED_MS,
  pendingEvents: [],
};
const ESTABLISHED: ServiceState = { ...FRESH, establishedAtMs: CREATED_MS + 500 };
const ATTACHED: ServiceState = { ...ESTABLISHED, attachedAtMs: CREATED_MS + 900 };

function due(
  state: ServiceState,
  around: Surroundings = HERE,
  endedAtMs?: number,
  model: CallModel = initialCallModel,
): [string, number][] {
  const record: CallRecord = {
    callId: 'c_test',
    version: 1,
    createdAtMs: CREATED_MS,
    joinUrl: '',
    tenantId: 't',
    attemptKey: 'k',
    model,
    signalingPosition: 0,
    ...(endedAtMs === undefined ? {} : { endedAtMs }),
  };
  return dutiesOf(record, state, around).map(({ kind, dueAtMs }) => [kind, dueAtMs]);
}

describe('dutiesOf', () => {
  const end = localEnd('media_failed', CREATED_MS + 9_000);

  it('has the last sound of a call moved before its host is let go of', () => {
    const endedAtMs = CREATED_MS + 60_000;
    const end = {
      code: 'ended_by_teams',
      kind: 'ended',
      reason: 'over',
      retryClass: 'normal',
      atMs: endedAtMs,
    } as const;
    const move = {
      cause: 'interrupted',
      sinceMs: endedAtMs - 1,
      dueAtMs: endedAtMs + 1999,
    } as const;
    const over: ServiceState = { ...ATTACHED, graph: 'gone', end };
    const silent = { ...move, silentSinceMs: endedAtMs - 1 };
    expect(due({ ...over, move: silent })).toEqual([
      ['releaseHost', endedAtMs + LAST_AUDIO_MS],
      ['move', move.dueAtMs],
    ]);
    // A worker that merely drains takes all of it.
    expect(due({ ...over, move: { ...move, cause: 'drain' } })).toEqual([
      ['releaseHost', endedAtMs],
    ]);
    expect(due({ ...over, attachedAtMs: endedAtMs + 2500 })).toEqual([
      ['releaseHost', endedAtMs + 2500 + LAST_AUDIO_MS],
    ]);
    const lost = localEnd('media_failed', endedAtMs);
    expect(due({ ...over, end: lost, move: silent })).toEqual([['releaseHost', endedAtMs]]);
  });

  it('has the sound of a call that no worker has had attached before its host is let go of', () => {
    const end = localEnd('hung_up', CREATED_MS + 9_000);
    const over: ServiceState = { ...ESTABLISHED, graph: 'gone', end };
    expect(due(over)).toEqual([
      ['releaseHost', end.atMs + LAST_AUDIO_MS],
      ['attach', end.atMs],
    ]);
    const atOnce = [['releaseHost', end.atMs]];
    expect(due({ ...over, establishedAtMs: undefined })).toEqual(atOnce);
    expect(due({ ...over, sessionOverAtMs: end.atMs })).toEqual(atOnce);
    expect(due({ ...over, end: localEnd('media_failed', end.atMs) })).toEqual(atOnce);
  });

  it('watches a call that is being established', () => {
    expect(due(FRESH)).toEqual([
      ['endNotEstablished', CREATED_MS + WATCHDOG_MS],
      ['keepAlive', CREATED_MS + KEEP_ALIVE_INTERVAL_MS],
    ]);
  });

  it('leaves it to Teams how long a call waits in the lobby', () => {
    const me: Participant = {
      id: 'me',
      kind: 'application',
      isInLobby: true,
      isMuted: false,
      isServerMuted: false,
      sourceIds: { audio: [] },
    };
    const model = { ...initialCallModel, myParticipantId: 'me', participants: { me } };
    expect(due(FRESH, HERE, undefined, model)).toEqual([
      ['keepAlive', CREATED_MS + KEEP_ALIVE_INTERVAL_MS],
    ]);
  });

  it('leaves it to Teams how long a call rings, and watches it from then on', () => {
    const ringing: CallModel = { ...initialCallModel, state: 'ringing' };
    expect(due(FRESH, HERE, undefined, ringing).map(([kind]) => kind)).toEqual(['keepAlive']);
    const waitedUntilMs = CREATED_MS + 600_000;
    expect(due({ ...FRESH, leg: { waitedUntilMs } })[0]).toEqual([
      'endNotEstablished',
      waitedUntilMs + WATCHDOG_MS,
    ]);
  });

  it('counts from the moment that Graph accepted the call, not from the request', () => {
    const acceptedAtMs = CREATED_MS + 20_000;
    expect(due({ ...FRESH, keptAliveAtMs: acceptedAtMs })[0]).toEqual([
      'endNotEstablished',
      acceptedAtMs + WATCHDOG_MS,
    ]);
    expect(due({ ...FRESH, graph: 'requested', keptAliveAtMs: undefined })[0]).toEqual([
      'endNotEstablished',
      CREATED_MS + WATCHDOG_MS,
    ]);
  });

  it('deletes the leg of an earlier attempt, whatever becomes of the call', () => {
    const strays = [{ graphCallId: 'a', foundAtMs: CREATED_MS + 7, isGone: false }];
    expect(due({ ...ATTACHED, leg: { strays } })[0]).toEqual(['deleteStrays', CREATED_MS + 7]);
    const over: ServiceState = { ...ATTACHED, end, graph: 'gone', hostHeld: false };
    expect(due({ ...over, leg: { strays } }, HERE, end.atMs)).toEqual([
      ['deleteStrays', CREATED_MS + 7],
    ]);
    const gone = strays.map((stray) => ({ ...stray, isGone: true }));
    expect(due({ ...over, leg: { strays: gone } }, HERE, end.atMs)).toEqual([]);
  });

  it('has an established call attached where its host is', () => {
    expect(due(ESTABLISHED)[0]).toEqual(['attach', CREATED_MS + 500]);
  });

  it('gives a call up when its host stays away before it was attached', () => {
    expect(due(ESTABLISHED, AWAY)[0]).toEqual(['endHostLost', CREATED_MS + 500 + HOST_GRACE_MS]);
  });

  it('only keeps an attached call alive, wherever its host is', () => {
    const keepAlive = [['keepAlive', CREATED_MS + KEEP_ALIVE_INTERVAL_MS]];
    expect(due(ATTACHED)).toEqual(keepAlive);
    expect(due(ATTACHED, AWAY)).toEqual(keepAlive);
  });

  it('deletes a call that is hung up, and waits for Teams to end it', () => {
    const hangUpAtMs = CREATED_MS + 5_000;
    expect(due({ ...ATTACHED, hangUpAtMs })).toEqual([
      ['deleteFromGraph', hangUpAtMs],
      ['endHungUp', hangUpAtMs + DELETE_EFFORT_MS],
    ]);
    const graphDeletedAtMs = hangUpAtMs + 200;
    expect(due({ ...ATTACHED, hangUpAtMs, graph: 'deleteSent', graphDeletedAtMs })).toEqual([
      ['endHungUp', graphDeletedAtMs + HANG_UP_GRACE_MS],
    ]);
  });

  it('waits for the answer to its creation before a call can be deleted', () => {
    const state: ServiceState = { ...FRESH, graph: 'requested', hangUpAtMs: CREATED_MS + 1 };
    expect(due(state)).toEqual([['endHungUp', CREATED_MS + WATCHDOG_MS]]);
  });

  it('clears up after the end', () => {
    expect(due({ ...ATTACHED, end })).toEqual([
      ['deleteFromGraph', end.atMs],
      ['giveUpDelete', end.atMs + LEG_LIFE_MS],
      ['releaseHost', end.atMs],
    ]);
    expect(due({ ...ATTACHED, end }, AWAY).at(-1)).toEqual([
      'giveUpHost',
      end.atMs + HOST_GRACE_MS,
    ]);
  });

  it('closes a call once nothing else is left, and only once', () => {
    const cleared: ServiceState = { ...ATTACHED, end, graph: 'gone', hostHeld: false };
    expect(due(cleared)).toEqual([['close', 0]]);
    expect(due(cleared, HERE, end.atMs)).toEqual([]);
  });

  it('always has something left to do for a call that is not closed', () => {
    const at = fc.option(fc.nat(1_000_000), { nil: undefined });
    fc.assert(
      fc.property(
        fc.record({
          graph: fc.constantFrom<ServiceState['graph']>(
            ...(['none', 'requested', 'present', 'deleteSent', 'gone'] as const),
          ),
          hostHeld: fc.boolean(),
          establishedAtMs: at,
          hangUpAtMs: at,
          keptAliveAtMs: fc.nat(1_000_000),
          end: fc.option(fc.constant(end), { nil: undefined }),
        }),
        fc.boolean(),
        (state, hostConnected) => {
          // A call is established by a notification, so its leg is known or gone with its end.
          fc.pre(state.establishedAtMs === undefined || state.graph === 'present');
          const around = { hostConnected, hostSinceMs: 0 };
          expect(due({ ...FRESH, ...state }, around)).not.toEqual([]);
        },
      ),
    );
  });
});

describe('pickHost', () => {
  const load: fc.Arbitrary<HostLoad> = fc.record({
    hostId: fc.uuid(),
    capacity: fc.nat(5),
    activeCalls: fc.nat(5),
    level: fc.constantFrom('normal', 'heavilyLoaded', 'overloaded'),
    draining: fc.boolean(),
  });

  it('takes a host with room and the fewest calls of those least loaded, if there is one', () => {
    fc.assert(
      fc.property(fc.array(load, { maxLength: 6 }), (hosts) => {
        const able = hosts.filter(
          (h) => !h.draining && h.level !== 'overloaded' && h.activeCalls < h.capacity,
        );
        const picked = pickHost(hosts, () => 0);
        if (picked === undefined) {
          expect(able).toEqual([]);
          return;
        }
        expect(able).toContain(picked);
        const normal = able.filter((h) => h.level === 'normal');
        const peers = normal.length > 0 ? normal : able;
        expect(peers).toContain(picked);
        expect(picked.activeCalls).toBe(Math.min(...peers.map((h) => h.activeCalls)));
      }),
    );
  });

  it('counts calls that a host has not told of yet', () => {
    const assignments = new HostAssignments();
    const host = { capacity: 1, activeCalls: 0, level: 'normal', draining: false } as const;
    const hosts = [
      { ...host, hostId: 'a' },
      { ...host, hostId: 'b' },
    ];
    const pick = () => pickHost(hosts, (hostId) => assignments.countOf(hostId))?.hostId;
    assignments.assign('c_1', 'a');
    expect(pick()).toBe('b');
    assignments.assign('c_2', 'b');
    expect(pick()).toBeUndefined();
    assignments.release('c_1');
    expect(pick()).toBe('a');
  });
});
