import type { Clock, CloseStack } from '@earshot/async';
import type { HostLinkServer } from '@earshot/bridge';
import type { EventPublisher } from '@earshot/events';
import type { Registry } from '@earshot/registry';
import type { HealthCheckOptions, Log, Metrics, ServiceCheckParts } from '@earshot/telemetry';
import {
  AnswerWatch,
  addEventMetrics,
  EventLoopDelay,
  Health,
  serviceChecks,
} from '@earshot/telemetry';
import type { CallbackBacklog } from './calls/callback-backlog.js';
import type { HostLoad } from './calls/host-picker.js';
import { pickHost } from './calls/host-picker.js';
import { WorkerWatch } from './calls/worker-watch.js';
import type { SignalingConfig } from './config.js';

export interface SignalingHealthParts extends ServiceCheckParts {
  readonly backlog: Pick<CallbackBacklog, 'oldestMs'>;
  readonly hostLink: { hosts(): readonly HostLoad[] };
  readonly workers: Pick<WorkerWatch, 'taking' | 'leastLoad'>;
}

/**
 * What `/livez` and `/readyz` look at. Without hosts or workers signaling is degraded, not red: a
 * red one is taken out of its load balancer, where hosts could not come back to it, callers would
 * get no answer, and Graph's callbacks of running calls would be lost.
 */
export function signalingHealthChecks(parts: SignalingHealthParts): HealthCheckOptions[] {
  const { backlog, hostLink, workers } = parts;
  return [
    ...serviceChecks(parts),
    {
      name: 'callback_age_seconds',
      help: 'Age of the oldest notification of Graph that waits to be folded into its call.',
      effect: 'unready',
      limit: 10,
      read: () => backlog.oldestMs / 1000,
    },
    {
      name: 'media_hosts_absent',
      help: '1 while no media host that is connected here takes calls.',
      effect: 'degraded',
      limit: 0,
      failAfterMs: 5000,
      read: () => (pickHost(hostLink.hosts(), () => 0) === undefined ? 1 : 0),
    },
    {
      name: 'media_workers_absent',
      help: '1 while no media worker takes calls.',
      effect: 'degraded',
      limit: 0,
      failAfterMs: 5000,
      read: () => (workers.taking === 0 ? 1 : 0),
    },
    {
      name: 'media_worker_load_min_ratio',
      help: 'Load of the least loaded media worker: time for more of them.',
      effect: 'degraded',
      limit: 0.85,
      failAfterMs: 5000,
      read: () => workers.leastLoad,
    },
  ];
}

/** The names, for those who set limits before there is a service. */
export const SIGNALING_HEALTH_CHECKS: readonly string[] = signalingHealthChecks({
  eventLoop: { p99Seconds: 0 },
  redis: { awaySeconds: 0 },
  publisher: { outbox: { waiting: 0, capacity: 1, oldestMs: 0 } },
  backlog: { oldestMs: 0 },
  hostLink: { hosts: () => [] },
  workers: { taking: 0, leastLoad: 0 },
}).map(({ name }) => name);

export interface WatchedParts {
  readonly hostLink: HostLinkServer;
  readonly backlog: CallbackBacklog;
  readonly registry: Registry;
  readonly publisher: EventPublisher;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Log;
}

/** Looks at everything from now on; `closers` ends it. */
export function watchHealth(
  { healthLimits, healthClearMs }: SignalingConfig,
  { registry, metrics, clock, log, ...parts }: WatchedParts,
  closers: CloseStack,
): Health {
  const redis = new AnswerWatch(clock, () => registry.ping());
  const eventLoop = new EventLoopDelay();
  const workers = new WorkerWatch(registry);
  const health = new Health({
    clock,
    log,
    checks: signalingHealthChecks({ ...parts, redis, eventLoop, workers }),
    limits: healthLimits,
    clearAfterMs: healthClearMs,
    metrics,
  });
  addEventMetrics(metrics, parts.publisher);
  metrics.gauge({
    name: 'callback_age_seconds',
    help: 'Age of the oldest notification of Graph that waits to be folded into its call.',
    read: () => parts.backlog.oldestMs / 1000,
  });
  metrics.gauge({
    name: 'media_hosts',
    help: 'Media hosts that are connected here.',
    read: () => parts.hostLink.hosts().length,
  });
  metrics.gauge({
    name: 'media_workers_taking',
    help: 'Media workers that take calls, as all processes see them.',
    read: () => workers.taking ?? 0,
  });
  closers.defer(redis.start());
  closers.defer(eventLoop.start(clock));
  closers.defer(workers.start(clock));
  closers.defer(health.start());
  return health;
}
