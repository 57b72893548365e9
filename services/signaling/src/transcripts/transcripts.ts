import type { Clock, CloseStack } from '@earshot/async';
import { EventConsumer } from '@earshot/events';
import type { Registry } from '@earshot/registry';
import type { Log } from '@earshot/telemetry';
import type { SignalingMetrics } from '../metrics.js';
import { TranscriptKeeper } from './transcript-keeper.js';

/** Whichever process has an event keeps it. */
export const TRANSCRIPTS_SUBSCRIPTION = 'transcripts';

export interface TranscriptsOptions {
  readonly config: { readonly redisUrl: string; readonly keepTranscriptsMs: number | undefined };
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: SignalingMetrics;
  readonly closers: CloseStack;
}

/**
 * Begins to keep transcripts, where that is wanted; `closers` undoes it.
 *
 * @throws CodedError `redis_unreachable`.
 */
export async function openTranscripts(options: TranscriptsOptions): Promise<void> {
  const { config, registry, clock, log, metrics, closers } = options;
  const { redisUrl, keepTranscriptsMs: ttlMs } = config;
  if (ttlMs === undefined) return;
  const keeper = new TranscriptKeeper({ registry, ttlMs, clock, log, metrics });
  closers.defer(async () => keeper.close());
  const consumer = new EventConsumer({
    redisUrl,
    clock,
    subscription: TRANSCRIPTS_SUBSCRIPTION,
    onError: (error) => log.warn('the keeping of transcripts had a failure', { error }),
    handler: (event, context) => keeper.handle(event, context),
  });
  closers.defer(() => consumer.close());
  await consumer.start();
}
