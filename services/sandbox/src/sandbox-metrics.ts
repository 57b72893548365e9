import type { Metrics } from '@earshot/telemetry';
import { createMetrics } from '@earshot/telemetry';
import type { CallDesk } from './graph/call-desk.js';
import type { MediaHost } from './host/media-host.js';

/** The sandbox's own numbers, read when they are asked for. */
export function createSandboxMetrics(desk: CallDesk, host: MediaHost): Metrics {
  const metrics = createMetrics({ service: 'sandbox' });
  metrics.gauge({
    name: 'sandbox_calls',
    help: 'Calls that are not over.',
    read: () => desk.activeCalls,
  });
  metrics.gauge({
    name: 'sandbox_media_sessions',
    help: 'Calls of the media host.',
    read: () => host.stats.activeCalls,
  });
  const counters: readonly [name: string, help: string, read: () => number][] = [
    ['callbacks_delivered', 'Callbacks taken by bots.', () => desk.callbacks.delivered],
    ['callbacks_retried', 'Callbacks posted again.', () => desk.callbacks.retried],
    ['callbacks_lost', 'Callbacks given up.', () => desk.callbacks.lost],
    ['forgeries_taken', 'Forged callbacks that a bot took.', () => desk.callbacks.forgeriesTaken],
    [
      'forgeries_refused',
      'Forged callbacks that bots refused.',
      () => desk.callbacks.forgeriesRefused,
    ],
    ['frames_sent', 'Frames put on media links.', () => host.stats.frames],
    ['frames_replayed', 'Frames sent once more.', () => host.stats.replayed],
    ['frame_messages_sent', 'Messages they went in.', () => host.stats.messages],
    [
      'account_mismatches',
      'Streams whose losses worker and host counted differently.',
      () => host.stats.accountMismatches,
    ],
  ];
  for (const [name, help, read] of counters) {
    metrics.counter({ name: `sandbox_${name}_total`, help, read });
  }
  return metrics;
}
