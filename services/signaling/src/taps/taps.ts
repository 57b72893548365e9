import type { Clock, CloseStack } from '@earshot/async';
import type { EarshotEvent } from '@earshot/events';
import { CONTENT_TYPES, EventConsumer, RecentEvents, Subscriptions } from '@earshot/events';
import type { Log, Metrics } from '@earshot/telemetry';
import { AddressRules, Webhooks } from '@earshot/webhooks';
import { EventHub } from './event-hub.js';
import { SubscriptionWatch } from './subscription-watch.js';
import { tapMetrics } from './tap-metrics.js';

/** The one subscription that feeds all webhooks and live streams of all processes. */
const SUBSCRIPTION = 'taps';
/** Events of all calls that a live stream may lie behind, or come back to. */
const WINDOW_EVENTS = 5_000;

export interface TapsConfig {
  readonly redisUrl: string;
  readonly webhookAllowedRanges: readonly string[];
  readonly webhookAllowHttp: boolean;
  readonly maxEventStreams: number;
}

export interface TapsOptions {
  readonly config: TapsConfig;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly closers: CloseStack;
}

/** The other ways to the events, beside the queues. */
export interface Taps {
  readonly webhooks: Webhooks;
  readonly hub: EventHub;
}

/**
 * Opens webhooks and live streams, and feeds them; `closers` undoes it.
 *
 * @throws CodedError `redis_unreachable`.
 */
export async function openTaps(options: TapsOptions): Promise<Taps> {
  const { config, clock, random, log, closers } = options;
  const { redisUrl } = config;
  const metrics = tapMetrics(options.metrics, () => hub.streams);
  const onError = (error: unknown): void => log.warn('the taps had a failure', { error });

  const recent = new RecentEvents({ redisUrl, capacity: 2 * WINDOW_EVENTS });
  closers.defer(() => recent.close());
  const hub = new EventHub({
    ...{ recent, clock, onError },
    maxStreams: config.maxEventStreams,
    windowEvents: WINDOW_EVENTS,
    onEnded: (reason) => metrics.streamsEnded.add(1, { reason }),
  });
  closers.defer(() => hub.close());
  const webhooks = new Webhooks({
    ...{ redisUrl, clock, random, onError },
    addresses: new AddressRules({ allowedRanges: config.webhookAllowedRanges }),
    allowHttp: config.webhookAllowHttp,
    // What people said or keyed is on its way, and no more: nothing here knows of recording gates.
    mayKeep: ({ type }) => !CONTENT_TYPES.has(type),
    onAttempt(outcome, durationMs) {
      metrics.attempts.add(1, { outcome });
      metrics.attemptSeconds.observe(durationMs / 1000);
    },
    onDropped: (count) => metrics.dropped.add(count),
    onDisabled(webhookId, reason) {
      metrics.disabled.add(1, { reason });
      log.warn('a webhook was turned off', { webhookId, reason });
    },
  });
  closers.defer(() => webhooks.close());
  await Promise.all([recent.ready(), webhooks.ready()]);
  await webhooks.start();

  const consumer = new EventConsumer({
    ...{ redisUrl, clock, onError, subscription: SUBSCRIPTION },
    async handler(event: EarshotEvent) {
      await Promise.all([recent.append(event), webhooks.dispatch(event)]);
    },
  });
  closers.defer(() => consumer.close());
  await consumer.start();
  const subscriptions = new Subscriptions({ redisUrl });
  closers.defer(() => subscriptions.close());
  await subscriptions.ready();
  closers.defer(new SubscriptionWatch(subscriptions, options.metrics, onError).start(clock));
  return { webhooks, hub };
}
