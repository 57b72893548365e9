import type { Cancel, Clock } from '@earshot/async';
import { backoffDelayMs, every } from '@earshot/async';
import type { CallRecord, Registry } from '@earshot/registry';
import type { CallWork } from './call-work.js';
import type { CallbackBacklog } from './callback-backlog.js';
import type { Duty, DutyKind } from './duties.js';
import { dutiesOf } from './duties.js';
import type { HostPresence } from './host-presence.js';
import { NotMine } from './not-mine.js';
import { serviceState } from './service-state.js';

/** How often calls that another process left behind are looked for. */
const SWEEP_INTERVAL_MS = 10_000;
const RETRY = { baseMs: 1_000, maxMs: 30_000 } as const;
/** A call that waits for a worker is deaf, and its host keeps sound for some 30 s only. */
const MOVE_RETRY = { baseMs: 500, maxMs: 4_000 } as const;
/** Teams waits 5 s for some answers; whoever is to answer in another's place must be in time. */
const ANSWER_RETRY = { baseMs: 250, maxMs: 500 } as const;
/** A process that died amid a keepAlive is to be replaced within a minute, its claim expired. */
const KEEP_ALIVE_RETRY = { baseMs: 1_000, maxMs: 15_000 } as const;
/** Bounds one pass: a duty that stays due though it succeeded would spin otherwise. */
const MAX_DUTIES_PER_PASS = 20;
const WAITS: ReadonlySet<DutyKind> = new Set<DutyKind>(['answer', 'attach', 'join', 'move']);

const RETRIES: Readonly<Partial<Record<DutyKind, { baseMs: number; maxMs: number }>>> = {
  attach: MOVE_RETRY,
  move: MOVE_RETRY,
  join: MOVE_RETRY,
  answer: ANSWER_RETRY,
  keepAlive: KEEP_ALIVE_RETRY,
};

/** How long a duty rests after its `attempts`th failure, ms; `random` in [0, 1) for jitter. */
export function pauseMs(kind: DutyKind, attempts: number, random: number): number {
  const retry = RETRIES[kind] ?? RETRY;
  return retry.baseMs / 2 + backoffDelayMs(attempts - 1, random, retry);
}

/** What the driver stands on. */
export interface CallDriverOptions {
  readonly registry: Registry;
  readonly work: CallWork;
  readonly hosts: HostPresence;
  readonly backlog: CallbackBacklog;
  readonly clock: Clock;
  /** A number in [0, 1) for jitter. */
  readonly random: () => number;
  readonly log: DriverLog;
}

/** The part of a log that the driver needs. */
export interface DriverLog {
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

interface Entry {
  again: boolean;
  running: Promise<void> | undefined;
  cancelTimer: Cancel | undefined;
  /** Duties that failed: not again before this time (Unix ms). */
  readonly retries: Map<DutyKind, { attempts: number; notBeforeMs: number }>;
  readonly inBackground: Set<DutyKind>;
}

/**
 * Does what each call's record says remains to be done, when it is due: one pass at a time per
 * call, triggered by callbacks, requests, hosts, timers, and a sweep over all open calls that
 * resumes what a process that died left undone.
 */
export class CallDriver {
  readonly #options: CallDriverOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #background = new Set<Promise<void>>();
  #cancelSweep: Cancel | undefined;
  #closed = false;

  constructor(options: CallDriverOptions) {
    this.#options = options;
  }

  /** Resumes all open calls, now and from then on. */
  start(): void {
    this.#cancelSweep = every(this.#options.clock, SWEEP_INTERVAL_MS, () => this.sweep());
    this.sweep();
  }

  /** Looks at every open call, without waiting for the outcome. */
  sweep(): void {
    this.#sweep().catch((error: unknown) => {
      if (!this.#closed) this.#options.log.warn('open calls could not be read', { error });
    });
  }

  /** Looks at a call soon, without waiting for the outcome. */
  wake(callId: string): void {
    void this.drive(callId);
  }

  /** Does all that is due for a call; resolves when a pass begun after this request has ended. */
  drive(callId: string): Promise<void> {
    if (this.#closed) return Promise.resolve();
    const entry = this.#entryOf(callId);
    entry.again = true;
    entry.running ??= this.#run(callId, entry);
    return entry.running;
  }

  /** Stops; work under way is waited for. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelSweep?.();
    for (const entry of this.#entries.values()) entry.cancelTimer?.();
    await Promise.all([...this.#entries.values()].map((entry) => entry.running));
    await Promise.all(this.#background);
  }

  async #sweep(): Promise<void> {
    const { hosts, registry } = this.#options;
    await hosts.announce();
    for (const callId of await registry.openCalls()) this.wake(callId);
  }

  #entryOf(callId: string): Entry {
    let entry = this.#entries.get(callId);
    if (entry === undefined) {
      entry = {
        again: false,
        running: undefined,
        cancelTimer: undefined,
        retries: new Map(),
        inBackground: new Set(),
      };
      this.#entries.set(callId, entry);
    }
    return entry;
  }

  async #run(callId: string, entry: Entry): Promise<void> {
    while (entry.again && !this.#closed) {
      entry.again = false;
      entry.cancelTimer?.();
      entry.cancelTimer = undefined;
      try {
        await this.#pass(callId, entry);
      } catch (error) {
        if (this.#closed) break;
        this.#options.log.warn('call could not be driven', { callId, error });
        this.#wakeAt(callId, entry, this.#options.clock.wallclockMs() + RETRY.maxMs);
      }
    }
    entry.running = undefined;
    const idle = entry.cancelTimer === undefined && entry.inBackground.size === 0;
    if (!idle) return;
    this.#entries.delete(callId);
    this.#options.work.forget(callId);
  }

  async #pass(callId: string, entry: Entry): Promise<void> {
    const { registry, work, backlog } = this.#options;
    const take = backlog.taking(callId);
    await registry.takeNotifications(callId, (body) => work.notification(callId, body));
    take.done();
    for (let done = 0; done < MAX_DUTIES_PER_PASS && !this.#closed; done += 1) {
      const record = await registry.readCall(callId);
      if (record === undefined) return;
      const next = this.#nextDuty(record, entry);
      if (next === undefined) return;
      work.remember(record);
      if (next.dueAtMs > this.#options.clock.wallclockMs()) {
        this.#wakeAt(callId, entry, next.dueAtMs);
        return;
      }
      await this.#perform(record, entry, next.kind);
    }
  }

  /** The first duty that is due, else the one due next. */
  #nextDuty(record: CallRecord, entry: Entry): Duty | undefined {
    const nowMs = this.#options.clock.wallclockMs();
    const around = this.#options.hosts.around(record.hostId);
    let next: Duty | undefined;
    for (const duty of dutiesOf(record, serviceState(record), around)) {
      if (entry.inBackground.has(duty.kind)) continue;
      const notBeforeMs = entry.retries.get(duty.kind)?.notBeforeMs ?? 0;
      const dueAtMs = Math.max(duty.dueAtMs, notBeforeMs);
      if (dueAtMs <= nowMs) return { kind: duty.kind, dueAtMs };
      if (next === undefined || dueAtMs < next.dueAtMs) next = { kind: duty.kind, dueAtMs };
    }
    return next;
  }

  /** What waits for a host, a worker or Graph must not hold up the end of the call. */
  async #perform(record: CallRecord, entry: Entry, kind: DutyKind): Promise<void> {
    if (!WAITS.has(kind)) return this.#attempt(record, entry, kind);
    entry.inBackground.add(kind);
    const attempt = this.#attempt(record, entry, kind).then(() => {
      this.#background.delete(attempt);
      entry.inBackground.delete(kind);
      this.wake(record.callId);
    });
    this.#background.add(attempt);
  }

  async #attempt(record: CallRecord, entry: Entry, kind: DutyKind): Promise<void> {
    try {
      await this.#options.work.perform(kind, record);
      entry.retries.delete(kind);
    } catch (error) {
      const attempts = (entry.retries.get(kind)?.attempts ?? 0) + 1;
      const delayMs = pauseMs(kind, attempts, this.#options.random());
      const notBeforeMs = this.#options.clock.wallclockMs() + delayMs;
      entry.retries.set(kind, { attempts, notBeforeMs });
      if (this.#closed || error instanceof NotMine) return;
      this.#options.log.warn('call duty failed', {
        callId: record.callId,
        duty: kind,
        attempts,
        error,
      });
    }
  }

  #wakeAt(callId: string, entry: Entry, atMs: number): void {
    if (this.#closed) return;
    const { clock } = this.#options;
    const delayMs = Math.max(0, atMs - clock.wallclockMs());
    entry.cancelTimer = clock.at(clock.nowMs() + delayMs, () => {
      entry.cancelTimer = undefined;
      this.wake(callId);
    });
  }
}
