import type { Cancel, Clock } from '@earshot/async';
import { every } from '@earshot/async';
import type { Registry } from '@earshot/registry';

const LOOK_INTERVAL_MS = 3000;

/** Looks how busy the media workers are, for those who run them. */
export class WorkerWatch {
  readonly #registry: Pick<Registry, 'workers'>;
  #loads: readonly number[] | undefined;
  #looking = false;

  constructor(registry: Pick<Registry, 'workers'>) {
    this.#registry = registry;
  }

  /** Looks now and from now on, until cancelled. */
  start(clock: Clock): Cancel {
    this.#look();
    return every(clock, LOOK_INTERVAL_MS, () => this.#look());
  }

  /** Workers that would take a call; undefined before the first look. */
  get taking(): number | undefined {
    return this.#loads?.filter((load) => load < 1).length;
  }

  /** Load of the one that takes the next call, 0 to 1; 1 without any; 0 before the first look. */
  get leastLoad(): number {
    return this.#loads === undefined ? 0 : Math.min(1, ...this.#loads);
  }

  #look(): void {
    if (this.#looking) return;
    this.#looking = true;
    this.#registry
      .workers()
      .then((workers) => {
        this.#loads = workers.filter(({ draining }) => !draining).map(({ load }) => load);
      })
      // Redis being away is told by a check of its own.
      .catch(() => {})
      .finally(() => {
        this.#looking = false;
      });
  }
}
