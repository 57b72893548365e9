import type { Cancel, Clock } from '@earshot/async';
import { every } from '@earshot/async';
import type { SubscriptionState, Subscriptions } from '@earshot/events';
import type { Metrics, Sample } from '@earshot/telemetry';

/** Counting a subscription is some twenty commands. */
const LOOK_EVERY_MS = 15_000;
/** Their names would make a new series each time somebody looks on. */
const EPHEMERAL = '(ephemeral)';

type Count = 'jobs' | 'deadLetters';

/** What waits in the event queues, looked at now and then, as gauges. */
export class SubscriptionWatch {
  readonly #subscriptions: Pick<Subscriptions, 'list'>;
  readonly #onError: (error: unknown) => void;
  #states: readonly SubscriptionState[] = [];
  #isLooking = false;

  constructor(
    subscriptions: Pick<Subscriptions, 'list'>,
    metrics: Metrics,
    onError: (error: unknown) => void,
  ) {
    this.#subscriptions = subscriptions;
    this.#onError = onError;
    metrics.gauge({
      name: 'events_queue_jobs',
      help: 'Jobs, of many events each, that wait in a subscription or are being handled.',
      labelNames: ['subscription'],
      readAll: () => this.#samples('jobs'),
    });
    metrics.gauge({
      name: 'dead_letters',
      help: 'Events of a subscription that no handler could handle.',
      labelNames: ['subscription'],
      readAll: () => this.#samples('deadLetters'),
    });
  }

  /** Looks now, and from then on. */
  start(clock: Clock): Cancel {
    void this.look();
    return every(clock, LOOK_EVERY_MS, () => void this.look());
  }

  /** Never rejects: what was seen last stays. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      this.#states = await this.#subscriptions.list();
    } catch (error) {
      this.#onError(error);
    } finally {
      this.#isLooking = false;
    }
  }

  #samples(count: Count): Sample<'subscription'>[] {
    const sums = new Map<string, number>();
    for (const { name, isEphemeral, ...state } of this.#states) {
      const label = isEphemeral ? EPHEMERAL : name;
      sums.set(label, (sums.get(label) ?? 0) + state[count]);
    }
    return [...sums].map(([subscription, value]) => ({ labels: { subscription }, value }));
  }
}
