import type { HealthCheckOptions } from './health-check.js';

/** How far events are behind. */
export interface OutboxState {
  readonly waiting: number;
  readonly capacity: number;
  /** How long the oldest batch has been tried, ms. */
  readonly oldestMs: number;
}

/** What the services have in common; an `EventLoopDelay`, an `AnswerWatch` and a publisher. */
export interface ServiceCheckParts {
  readonly eventLoop: { readonly p99Seconds: number };
  readonly redis: { readonly awaySeconds: number };
  readonly publisher: { readonly outbox: OutboxState };
}

/** Checks of every service that has Redis and tells of events. */
export function serviceChecks(parts: ServiceCheckParts): HealthCheckOptions[] {
  const { redis, publisher } = parts;
  return [
    eventLoopCheck(parts.eventLoop),
    {
      name: 'redis_away_seconds',
      help: 'How long Redis has not answered.',
      effect: 'unready',
      limit: 5,
      read: () => redis.awaySeconds,
    },
    {
      name: 'outbox_full_ratio',
      help: 'Share of the outbox that is taken by events that Redis does not have yet.',
      effect: 'unready',
      limit: 0.8,
      read: () => publisher.outbox.waiting / publisher.outbox.capacity,
    },
    {
      name: 'outbox_age_seconds',
      help: 'How long the oldest batch of events has been tried.',
      effect: 'unready',
      limit: 10,
      read: () => publisher.outbox.oldestMs / 1000,
    },
  ];
}

/** A stall of a moment is let be. */
export function eventLoopCheck(eventLoop: ServiceCheckParts['eventLoop']): HealthCheckOptions {
  return {
    name: 'event_loop_delay_p99_seconds',
    help: 'How late the event loop runs what is due, in the worst 1 of 100 cases of the last 10 s.',
    effect: 'unready',
    limit: 0.5,
    failAfterMs: 5000,
    read: () => eventLoop.p99Seconds,
  };
}
