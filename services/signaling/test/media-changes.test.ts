import { initialCallModel } from '@earshot/call';
import type { CallRecord } from '@earshot/registry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dutiesOf } from '../src/calls/duties.js';
import type { ToldMediaState } from '../src/calls/media-changes.js';
import {
  applyMediaState,
  blameWorker,
  confirmAttached,
  exclusionsOf,
  placeAnew,
} from '../src/calls/media-changes.js';
import {
  FAILED_WORKER_MS,
  INTERRUPTION_GRACE_MS,
  MAX_FAILED_WORKERS,
  MOVE_EFFORT_MS,
  MOVE_PAUSE_MS,
} from '../src/calls/media-move.js';
import type { ServiceState } from '../src/calls/service-state.js';
import { serviceState, withService } from '../src/calls/service-state.js';

const AT_MS = 1_700_000_000_000;

const attached: CallRecord = {
  callId: 'c_test',
  version: 1,
  createdAtMs: AT_MS,
  joinUrl: '',
  tenantId: 't',
  attemptKey: 'k',
  model: initialCallModel,
  signalingPosition: 0,
  workerId: 'w-1',
  epoch: 1,
  service: {
    joinUrlHost: 'teams.microsoft.com',
    graph: 'present',
    hostHeld: true,
    keptAliveAtMs: AT_MS,
    establishedAtMs: AT_MS,
    attachedAtMs: AT_MS,
    pendingEvents: [],
  } satisfies ServiceState,
};

/** A step of a call's history, some ms after the one before. */
type Step =
  | { readonly kind: 'told'; readonly told: ToldMediaState; readonly isWorkerGone: boolean }
  | { readonly kind: 'placed' | 'confirmed' | 'stale'; readonly workerId: string };

const told: fc.Arbitrary<ToldMediaState> = fc.oneof(
  fc.constantFrom<ToldMediaState>(
    { state: 'active' },
    { state: 'active', detail: 'drain_requested' },
    { state: 'inactive' },
    { state: 'inactive', detail: 'link_interrupted' },
    { state: 'failed', detail: 'connect_failed' },
    { state: 'failed' },
    { state: 'ended', detail: 'released' },
  ),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('told' as const), told, isWorkerGone: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('placed' as const, 'confirmed' as const, 'stale' as const),
      workerId: fc.constantFrom('w-1', 'w-2', 'w-3'),
    }),
  },
);
const history = fc.array(fc.tuple(step, fc.nat(5_000)), { maxLength: 30 });

interface Told {
  readonly record: CallRecord;
  readonly nowMs: number;
  /** Newest epoch that was placed. */
  readonly epoch: number;
}

function take({ record, nowMs, epoch }: Told, [next, afterMs]: [Step, number]): Told {
  const atMs = nowMs + afterMs;
  if (next.kind === 'told') {
    const { isWorkerGone } = next;
    const changed = applyMediaState(record, next.told, { atMs, isWorkerGone });
    return { record: changed, nowMs: atMs, epoch };
  }
  const { workerId } = next;
  const { move } = serviceState(record);
  if (next.kind === 'placed') {
    if (move === undefined) return { record, nowMs: atMs, epoch };
    const placement = { workerId, url: '', epoch: epoch + 1 };
    const placed = placeAnew(record, placement, move, atMs);
    return { record: placed, nowMs: atMs, epoch: epoch + 1 };
  }
  const confirmed = next.kind === 'confirmed' ? epoch : epoch - 1;
  const placement = { workerId, url: '', epoch: confirmed };
  return { record: confirmAttached(record, placement, atMs), nowMs: atMs, epoch };
}

const begin: Told = { record: attached, nowMs: AT_MS, epoch: 1 };

describe('the way of a call’s audio', () => {
  it('does not depend on how often a host says the same', () => {
    fc.assert(
      fc.property(history, told, fc.boolean(), (steps, last, isWorkerGone) => {
        const { record, nowMs } = steps.reduce(take, begin);
        const once = applyMediaState(record, last, { atMs: nowMs, isWorkerGone });
        const twice = applyMediaState(once, last, { atMs: nowMs + 60_000, isWorkerGone });
        expect(twice).toBe(once);
      }),
    );
  });

  it('has something due, within seconds and for a minute, while a host that is here is not heard', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const { record, nowMs } = steps.reduce(take, begin);
        const state = serviceState(record);
        const around = { hostConnected: true, hostSinceMs: AT_MS };
        const due = new Map(
          dutiesOf(record, state, around).map(({ kind, dueAtMs }) => [kind, dueAtMs]),
        );
        expect(due.has('attach')).toBe(false);
        expect(due.has('move')).toBe(state.move !== undefined);
        expect(due.has('endMediaFailed')).toBe(state.move?.silentSinceMs !== undefined);
        if (state.move === undefined) return;
        expect(due.get('move')).toBeLessThanOrEqual(
          nowMs + Math.max(INTERRUPTION_GRACE_MS, MOVE_PAUSE_MS),
        );
        if (state.move.silentSinceMs === undefined) return;
        expect(due.get('endMediaFailed')).toBe(state.move.silentSinceMs + MOVE_EFFORT_MS);
        expect(state.move.silentSinceMs).toBeLessThanOrEqual(nowMs);
      }),
    );
  });

  it('is as the host said last, until the call is placed anew; then as it confirms', () => {
    fc.assert(
      fc.property(history, (steps) => {
        let now = begin;
        let expected: string | undefined;
        for (const next of steps) {
          const wasPlaced = serviceState(now.record).move?.placedEpoch !== undefined;
          const isNewer = now.epoch > (now.record.epoch ?? 0);
          now = take(now, next);
          const [{ kind }] = next;
          if (kind === 'confirmed' && isNewer) expected = undefined;
          if (next[0].kind === 'told' && !wasPlaced) expected = wanted(next[0].told, expected);
          expect(serviceState(now.record).move?.cause).toBe(expected);
        }
      }),
    );
  });

  it('counts each move once, and follows epochs upwards only', () => {
    fc.assert(
      fc.property(history, (steps) => {
        let now = begin;
        for (const next of steps) {
          const before = now.record;
          now = take(now, next);
          const grown = (now.record.epoch ?? 0) - (before.epoch ?? 0);
          expect(grown).toBeGreaterThanOrEqual(0);
          const { moves = 0 } = serviceState(now.record);
          expect(moves - (serviceState(before).moves ?? 0)).toBe(grown > 0 ? 1 : 0);
        }
      }),
    );
  });

  it('outlives being stored', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const { record } = steps.reduce(take, begin);
        const stored: CallRecord = JSON.parse(JSON.stringify(record));
        expect(serviceState(stored)).toEqual(serviceState(record));
      }),
    );
  });

  function wanted({ state, detail }: ToldMediaState, before: string | undefined) {
    if (state === 'active') {
      return detail === 'drain_requested' || before === 'drain' ? 'drain' : undefined;
    }
    if (state === 'failed') return before === 'drain' ? 'drain' : 'failed';
    return detail === 'link_interrupted' ? (before ?? 'interrupted') : before;
  }
});

describe('a call that no worker has yet', () => {
  const fresh = withService(attached, { attachedAtMs: undefined });

  it('hears of nothing but its end', () => {
    fc.assert(
      fc.property(told, (state) => {
        expect(applyMediaState(fresh, state, { atMs: AT_MS, isWorkerGone: false })).toBe(fresh);
      }),
    );
    const lost = { state: 'failed', detail: 'media_lost' } as const;
    const ended = applyMediaState(fresh, lost, { atMs: AT_MS, isWorkerGone: false });
    expect(serviceState(ended).end?.code).toBe('media_failed');
    expect(applyMediaState(ended, lost, { atMs: AT_MS, isWorkerGone: false })).toBe(ended);
  });
});

describe('exclusionsOf', () => {
  const moving = (patch: Partial<ServiceState>) => withService(attached, patch);
  const drain = { cause: 'drain', sinceMs: AT_MS, dueAtMs: AT_MS } as const;

  it('excludes nobody at first', () => {
    expect(exclusionsOf(attached, AT_MS)).toEqual([[]]);
  });

  it('keeps away from a draining worker while it is heard there', () => {
    expect(exclusionsOf(moving({ move: drain }), AT_MS)).toEqual([['w-1']]);
    const silent = moving({ move: { ...drain, silentSinceMs: AT_MS } });
    expect(exclusionsOf(silent, AT_MS)).toEqual([['w-1'], []]);
  });

  it('prefers workers that did not fail, then any other, then the same', () => {
    const move = { ...drain, cause: 'failed', silentSinceMs: AT_MS } as const;
    const record = blameWorker(moving({ move }), 'w-2', AT_MS);
    expect(exclusionsOf(record, AT_MS)).toEqual([['w-1', 'w-2'], ['w-1'], []]);
    expect(exclusionsOf(record, AT_MS + FAILED_WORKER_MS)).toEqual([['w-1'], []]);
  });

  it.each([
    ['unauthorized', []],
    ['closed_4409', []],
    ['connect_failed', ['w-1']],
  ])('says of a link that ended as %s who failed: %j', (detail, blamed) => {
    const telling = { atMs: AT_MS, isWorkerGone: false };
    const record = applyMediaState(attached, { state: 'failed', detail }, telling);
    const { failedWorkers = [] } = serviceState(record);
    expect(failedWorkers.map(({ workerId }) => workerId)).toEqual(blamed);
  });

  it('remembers few of the workers that failed', () => {
    let record = attached;
    for (let n = 0; n < 100; n += 1) record = blameWorker(record, `w-${n % 20}`, AT_MS + n);
    const { failedWorkers = [] } = serviceState(record);
    expect(failedWorkers).toHaveLength(MAX_FAILED_WORKERS);
    expect(failedWorkers.at(-1)).toEqual({ workerId: 'w-19', atMs: AT_MS + 99 });
  });
});
