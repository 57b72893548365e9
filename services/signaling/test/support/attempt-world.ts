import type { CallNotification } from '@earshot/call';
import { initialCallModel, parseNotifications } from '@earshot/call';
import type { CallRecord } from '@earshot/registry';
import { failAttempt, giveUpAttempt } from '../../src/calls/attempt-changes.js';
import { beginAttempt, firstAttempt, ofAttempt, withEarlier } from '../../src/calls/attempts.js';
import {
  acceptByGraph,
  applyNotification,
  applyToEarlierAttempt,
  endCall,
} from '../../src/calls/call-changes.js';
import { localEnd } from '../../src/calls/call-end.js';
import type { Duty } from '../../src/calls/duties.js';
import { dutiesOf } from '../../src/calls/duties.js';
import { straysLeft, withStrayGone } from '../../src/calls/leg-state.js';
import { applyMediaState } from '../../src/calls/media-changes.js';
import type { ServiceState } from '../../src/calls/service-state.js';
import { serviceState, withService } from '../../src/calls/service-state.js';
import type { StartFailure } from '../../src/calls/start-failures.js';
import { endItem, rosterItem, stateItem } from './notifications.js';

interface Leg {
  readonly id: string;
  readonly attemptKey: string;
  alive: boolean;
}

/** An attempt that some process is making. */
interface Making {
  readonly attemptKey: string;
  readonly step: 'blob' | 'create' | 'answer';
  readonly leg?: Leg;
}

interface Callback {
  readonly attemptKey: string;
  readonly item: unknown;
}

/** What the next step meets; one number picks among what can happen. */
export interface Chance {
  readonly what: number;
  readonly which: number;
}

const START_MS = 1_700_000_000_000;
const HOSTS = ['host-1', 'host-2', 'host-3'];
/** Results with which Teams ends calls: three of another host's class, then others. */
const ENDS: readonly (readonly [number, number])[] = [
  [500, 7112],
  [410, 301005],
  [500, 1203002],
  [200, 5300],
  [200, 5001],
  [403, 7504],
  [500, 8530],
];

/**
 * One call, a Graph and media hosts, in memory: everything that can happen to a call happens one
 * step at a time, in any order. Duties and callbacks go through the pure steps of the service.
 */
export class AttemptWorld {
  readonly legs: Leg[] = [];
  readonly hostsTried: string[] = [];
  record: CallRecord;
  nowMs: number = START_MS;
  #making: Making[] = [];
  #callbacks: Callback[] = [];
  #keys = 0;

  constructor(mayRepeat: boolean) {
    const service: ServiceState = {
      joinUrlHost: 'teams.microsoft.com',
      graph: 'none',
      hostHeld: false,
      place: 'held',
      attempt: firstAttempt(START_MS, { mayRepeat }),
      pendingEvents: [],
    };
    this.record = {
      callId: 'c_test',
      version: 1,
      createdAtMs: START_MS,
      joinUrl: '',
      tenantId: 't',
      attemptKey: 'k-0',
      model: initialCallModel,
      signalingPosition: 0,
      service,
    };
  }

  get state(): ServiceState {
    return serviceState(this.record);
  }

  get aliveLegs(): number {
    return this.legs.filter(({ alive }) => alive).length;
  }

  step({ what, which }: Chance): void {
    const kinds = [
      () => this.#duty(which),
      () => this.#duty(which),
      () => this.#progress(which),
      () => this.#progress(which),
      () => this.#callback(which),
      () => this.#callback(which),
      () => this.#graphActs(which),
      () => this.#mediaLost(),
      () => this.#pass(which),
      () => (which % 8 === 0 ? this.hangUp() : undefined),
      () => (which % 4 === 0 ? this.#die() : undefined),
    ];
    kinds[what % kinds.length]?.();
  }

  hangUp(): void {
    const { hangUpAtMs, end } = this.state;
    if (hangUpAtMs !== undefined || end !== undefined) return;
    this.record = withService(this.record, { hangUpAtMs: this.nowMs });
  }

  /** Everything under way comes to its end, and nothing new happens. */
  settle(): void {
    for (let round = 0; round < 80; round += 1) {
      while (this.#making.length > 0) this.#progress(0);
      for (const leg of this.legs) {
        if (leg.alive) this.#tell(leg, stateItem(leg.id, 'established'));
      }
      while (this.#callbacks.length > 0) this.#callback(0);
      const due = this.#due();
      const [duty] = due;
      if (duty !== undefined) this.#perform(duty, 1);
      else this.nowMs += 5_000;
    }
  }

  #tell(leg: Leg, item: unknown): void {
    this.#callbacks.push({ attemptKey: leg.attemptKey, item });
  }

  #due(): Duty[] {
    const around = { hostConnected: true, hostSinceMs: 0, isConnected: () => true };
    return dutiesOf(this.record, this.state, around).filter(({ dueAtMs }) => dueAtMs <= this.nowMs);
  }

  /** A process that was making an attempt does no more: what it did stands. */
  #die(): void {
    this.#making.shift();
  }

  #duty(which: number): void {
    const due = this.#due();
    const duty = due[which % Math.max(1, due.length)];
    if (duty !== undefined) this.#perform(duty, which);
  }

  #perform({ kind }: Duty, which: number): void {
    switch (kind) {
      case 'publish':
        this.record = withService(this.record, { pendingEvents: [] });
        return;
      case 'join':
        this.#join();
        return;
      case 'giveUpJoin':
        this.#change((one) => giveUpAttempt(one, 'given_up', this.nowMs));
        return;
      case 'clearEarlier':
        for (const { attemptKey } of this.state.attempt?.earlier ?? []) {
          this.#change((one) => withEarlier(one, attemptKey, { hostHeld: false }));
        }
        return;
      case 'givePlaceBack':
        this.#change((one) => withService(one, { place: 'free' }));
        return;
      case 'deleteFromGraph':
        this.#delete(which);
        return;
      case 'deleteStrays':
        this.#deleteStrays();
        return;
      case 'giveUpDelete':
        this.#change((one) => withService(one, { graph: 'requested' }));
        return;
      case 'endNotEstablished':
        this.#change((one) => endCall(one, localEnd('not_established', this.nowMs)));
        return;
      case 'endHungUp':
        this.#change((one) => endCall(one, localEnd('hung_up', this.nowMs)));
        return;
      case 'endHostLost':
      case 'endMediaFailed':
        this.#change((one) => endCall(one, localEnd('media_failed', this.nowMs)));
        return;
      case 'attach':
      case 'move':
        this.#change((one) => withService(one, { attachedAtMs: this.nowMs, move: undefined }));
        return;
      case 'keepAlive':
        this.#change((one) => withService(one, { keptAliveAtMs: this.nowMs }));
        return;
      case 'releaseHost':
      case 'giveUpHost':
        this.#change((one) => withService(one, { hostHeld: false }));
        return;
      case 'close':
        this.#change((one) => ({ ...one, endedAtMs: this.nowMs }));
        return;
      case 'closeAgain':
        this.#change(({ reopened: _, ...one }) => one);
        return;
      default:
        throw new Error(`no such duty here: ${kind}`);
    }
  }

  #change(change: (record: CallRecord) => CallRecord): void {
    this.record = change(this.record);
  }

  /** Two processes may be at it at once. */
  #join(): void {
    const { attempt } = this.state;
    const tried = new Set(attempt?.earlier.map(({ hostId }) => hostId));
    if (attempt?.wanted?.end !== undefined) tried.add(this.record.hostId);
    const hostId = HOSTS.find((host) => !tried.has(host));
    if (hostId === undefined) {
      this.#change((one) => giveUpAttempt(one, 'no_other_host', this.nowMs));
      return;
    }
    for (let process = 0; process < 2; process += 1) {
      this.#keys += 1;
      const attemptKey = `k-${this.#keys}`;
      this.#change((one) => beginAttempt(one, { hostId, attemptKey, atMs: this.nowMs }));
      if (this.record.attemptKey !== attemptKey) continue;
      this.hostsTried.push(hostId);
      this.#making.push({ attemptKey, step: 'blob' });
    }
  }

  #progress(which: number): void {
    const making = this.#making.shift();
    if (making === undefined) return;
    const { attemptKey, step, leg } = making;
    if (step === 'blob') {
      this.#blob(attemptKey, which);
      return;
    }
    if (step === 'create') {
      this.#create(attemptKey, which);
      return;
    }
    if (leg === undefined) return;
    this.#change((one) => acceptByGraph(one, { graphCallId: leg.id, attemptKey }, this.nowMs));
  }

  #blob(attemptKey: string, which: number): void {
    if (which % 4 === 1) {
      this.#fail(attemptKey, 'host_refused');
      return;
    }
    this.#change((one) =>
      ofAttempt(one, attemptKey, (it) =>
        withService({ ...it, mediaId: `m-${attemptKey}` }, { hostHeld: true, graph: 'requested' }),
      ),
    );
    const isGivenUp = this.record.attemptKey !== attemptKey || this.state.end !== undefined;
    if (!isGivenUp) this.#making.push({ attemptKey, step: 'create' });
  }

  #create(attemptKey: string, which: number): void {
    if (which % 5 === 1) {
      this.#fail(attemptKey, 'graph_refused', [500, 7112]);
      return;
    }
    if (which % 5 === 2) {
      this.#fail(attemptKey, 'graph_unavailable');
      return;
    }
    const leg = { id: `leg-${attemptKey}`, attemptKey, alive: true };
    this.legs.push(leg);
    // The connection broke before the answer came.
    if (which % 5 === 3) {
      this.#fail(attemptKey, 'graph_unavailable', undefined, true);
      return;
    }
    this.#tell(leg, stateItem(leg.id, 'establishing'));
    this.#making.push({ attemptKey, step: 'answer', leg });
  }

  #fail(
    attemptKey: string,
    end: StartFailure['end'],
    numbers?: readonly [number, number],
    legMayExist = false,
  ): void {
    const [code = 0, subcode = 0] = numbers ?? [];
    const result = numbers === undefined ? undefined : { code, subcode };
    const problem = { status: 502, code: end, title: 'failed', detail: 'failed' };
    this.#change((one) =>
      ofAttempt(one, attemptKey, (it) =>
        failAttempt(it, { end, result, legMayExist, problem }, this.nowMs),
      ),
    );
  }

  #delete(which: number): void {
    if (which % 6 === 5) return;
    const leg = this.legs.find(({ id }) => id === this.record.model.graphCallId);
    const { end, attempt } = this.state;
    if (leg?.alive !== true) {
      const isWanted = end === undefined && attempt?.wanted !== undefined;
      this.#change((one) =>
        isWanted
          ? giveUpAttempt(one, 'call_gone', this.nowMs)
          : withService(endCall(one, localEnd('hung_up', this.nowMs)), { graph: 'gone' }),
      );
      return;
    }
    leg.alive = false;
    this.#tell(leg, endItem(leg.id, 200, 7000));
    const deleted = { graph: 'deleteSent', graphDeletedAtMs: this.nowMs } as const;
    this.#change((one) => withService(one, deleted));
  }

  #deleteStrays(): void {
    for (const stray of straysLeft(this.state.leg)) {
      const leg = this.legs.find(({ id }) => id === stray.graphCallId);
      if (leg !== undefined) leg.alive = false;
      this.#change((one) => {
        const { leg: state = {} } = serviceState(one);
        return withService(one, { leg: withStrayGone(state, stray) });
      });
    }
  }

  #callback(which: number): void {
    const index = which % Math.max(1, this.#callbacks.length);
    const callback = this.#callbacks[index];
    if (callback === undefined) return;
    // Some come twice.
    if (which % 7 !== 6) this.#callbacks.splice(index, 1);
    const { attemptKey, item } = callback;
    const apply = attemptKey === this.record.attemptKey ? applyNotification : applyToEarlierAttempt;
    this.#change((one) => apply(one, notificationOf(item), this.nowMs));
  }

  #graphActs(which: number): void {
    const leg = this.legs.findLast(({ alive }) => alive);
    if (leg === undefined) return;
    if (which % 4 === 0) {
      this.#tell(leg, stateItem(leg.id, 'established'));
      return;
    }
    if (which % 4 === 1) {
      this.#tell(leg, rosterItem(leg.id, [{ id: 'p-1', name: 'Ada', sourceId: '1' }]));
      return;
    }
    leg.alive = false;
    const [code, subcode] = ENDS[which % ENDS.length] ?? [200, 0];
    this.#tell(leg, endItem(leg.id, code, subcode));
  }

  #mediaLost(): void {
    const told = { state: 'failed', detail: 'media_lost' } as const;
    if (this.record.mediaId === undefined) return;
    this.#change((one) => applyMediaState(one, told, { atMs: this.nowMs, isWorkerGone: false }));
  }

  #pass(which: number): void {
    this.nowMs += [50, 1_000, 12_000, 40_000][which % 4] ?? 0;
  }
}

function notificationOf(item: unknown): CallNotification {
  const parsed = parseNotifications({ value: [item] });
  const first = parsed.ok ? parsed.items[0] : undefined;
  if (first === undefined) throw new Error('not a notification');
  return first;
}
