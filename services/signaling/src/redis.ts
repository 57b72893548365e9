import type { Clock, CloseStack } from '@earshot/async';
import { CodedError } from '@earshot/async';
import { EventPublisher } from '@earshot/events';
import { RateLimiter } from '@earshot/rate-limit';
import { Registry } from '@earshot/registry';
import type { Log, Tracer } from '@earshot/telemetry';
import { tracedBatches } from '@earshot/telemetry';

const FLUSH_DEADLINE_MS = 2_000;

/**
 * Connects to Redis for calls, for events and for rate limits; `closers` undoes it.
 *
 * @throws CodedError `redis_unreachable`.
 */
export async function openRedis(options: {
  redisUrl: string;
  clock: Clock;
  log: Log;
  tracer: Tracer;
  closers: CloseStack;
}): Promise<{ registry: Registry; publisher: EventPublisher; limiter: RateLimiter }> {
  const { redisUrl, clock, log, tracer, closers } = options;
  const registry = new Registry({ redisUrl, clock });
  closers.defer(() => registry.close());
  const publisher = new EventPublisher({
    redisUrl,
    clock,
    ...tracedBatches(tracer),
    onError: (error) => log.warn('events could not be published', { error }),
  });
  closers.defer(() => publisher.close({ deadlineMs: FLUSH_DEADLINE_MS }));
  const limiter = new RateLimiter({ redisUrl });
  closers.defer(() => limiter.close());
  try {
    await registry.ready();
    await publisher.ready();
    await limiter.ready();
  } catch (cause) {
    throw unreachable(redisUrl, cause);
  }
  return { registry, publisher, limiter };
}

function unreachable(redisUrl: string, cause: unknown): CodedError {
  const actual = cause instanceof Error ? cause.message : String(cause);
  return new CodedError(
    'redis_unreachable',
    `Cannot start signaling: Redis must answer at ${withoutPassword(redisUrl)}, got ${actual}`,
    { cause, fix: 'Start Redis there, or set REDIS_URL to one that runs.' },
  );
}

/** Host and port only: the user part and the query may hold a password. */
function withoutPassword(redisUrl: string): string {
  if (redisUrl.startsWith('/')) return redisUrl;
  return URL.canParse(redisUrl) ? new URL(redisUrl).host : 'the given address';
}
