import type { Clock } from '@earshot/async';
import { every } from '@earshot/async';
import type { ListeningSettings } from '@earshot/listening';
import type { Registry } from '@earshot/registry';
import type { WorkerLog } from './log.js';

/** A call as the desk needs it. */
export interface ListeningCall {
  readonly callId: string;
  /** Takes what is stored; nothing happens when it is as before. */
  setListening(settings: ListeningSettings): void;
}

export interface ListeningDeskOptions {
  readonly registry: Pick<Registry, 'listening' | 'onListeningSet'>;
  readonly clock: Clock;
  readonly log: WorkerLog;
  calls(): readonly ListeningCall[];
}

/** A wake-up that was lost delays a change by no more than this. */
const LOOK_INTERVAL_MS = 3000;

/** Tells the calls of this worker what is to be listened for: at once, or seconds later. */
export class ListeningDesk {
  readonly #options: ListeningDeskOptions;
  #isLooking = false;

  constructor(options: ListeningDeskOptions) {
    this.#options = options;
  }

  /** Begins. @returns what ends it. @throws CodedError `redis_unreachable`. */
  async start(): Promise<() => void> {
    const { registry, clock } = this.#options;
    await registry.onListeningSet((callId) => void this.#wake(callId));
    return every(clock, LOOK_INTERVAL_MS, () => void this.#look());
  }

  async #wake(callId: string): Promise<void> {
    try {
      await this.#read(callId);
    } catch (error) {
      this.#tellFailure(error);
    }
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const callIds = new Set(this.#options.calls().map(({ callId }) => callId));
      await Promise.all([...callIds].map((callId) => this.#read(callId)));
    } catch (error) {
      this.#tellFailure(error);
    }
    this.#isLooking = false;
  }

  /** What cannot be read changes nothing: a call goes on as it was. */
  async #read(callId: string): Promise<void> {
    const concerned = () => this.#options.calls().filter((call) => call.callId === callId);
    if (concerned().length === 0) return;
    const settings = await this.#options.registry.listening(callId);
    if (settings === undefined) return;
    for (const call of concerned()) call.setListening(settings);
  }

  #tellFailure(error: unknown): void {
    this.#options.log.warn('not looked what is listened for', { error: String(error) });
  }
}
