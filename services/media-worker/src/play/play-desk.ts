import type { Clock } from '@earshot/async';
import { every } from '@earshot/async';
import type { Registry } from '@earshot/registry';
import type { WorkerLog } from '../log.js';
import type { CallPlays } from './call-plays.js';

/** A call as the desk needs it. */
export interface PlayingCall {
  readonly callId: string;
  readonly linked: boolean;
  readonly plays: Pick<CallPlays, 'wake'>;
}

export interface PlayDeskOptions {
  readonly registry: Pick<Registry, 'plays' | 'listenForPlays'>;
  readonly clock: Clock;
  readonly log: WorkerLog;
  calls(): readonly PlayingCall[];
}

/** A wake-up that was lost delays a play by no more than this. */
const LOOK_INTERVAL_MS = 3000;

/** Tells the calls of this worker when something was posted for them: at once, or seconds later. */
export class PlayDesk {
  readonly #options: PlayDeskOptions;
  #isLooking = false;

  constructor(options: PlayDeskOptions) {
    this.#options = options;
  }

  /** Begins. @returns what ends it. @throws CodedError `redis_unreachable`. */
  async start(): Promise<() => void> {
    const { registry, clock, calls } = this.#options;
    await registry.listenForPlays((callId) => {
      for (const call of calls()) if (call.callId === callId) call.plays.wake();
    });
    return every(clock, LOOK_INTERVAL_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const { registry, log, calls } = this.#options;
    try {
      const linked = calls().filter((call) => call.linked);
      const waiting = await registry.plays.callsWaiting(linked.map(({ callId }) => callId));
      const woken = new Set(waiting);
      for (const call of linked) if (woken.has(call.callId)) call.plays.wake();
    } catch (error) {
      log.warn('not looked for plays', { error: String(error) });
    }
    this.#isLooking = false;
  }
}
