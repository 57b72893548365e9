import type { Metrics } from '@earshot/telemetry';
import { createMetrics } from '@earshot/telemetry';
import type { CallDesk } from './graph/call-desk.js';
import type { MediaHost } from './host/media-host.js';

/** The sandbox's own numbers, read when they are asked for. */
export function createSandboxMetrics(desk: CallDesk, host: MediaHost): Metrics {
  const metrics = createMetrics({ service: 'sandbox' });
  const gauges: readonly [name: string, help: string, read: () => number][] = [
    ['sandbox_calls', 'Calls that are not over.', () => desk.activeCalls],
    ['sandbox_media_sessions', 'Calls of the media host.', () => host.stats.activeCalls],
    ['sandbox_callbacks_delivered', 'Callbacks taken by bots.', () => desk.callbacks.delivered],
    ['sandbox_callbacks_retried', 'Callbacks posted again.', () => desk.callbacks.retried],
    ['sandbox_callbacks_lost', 'Callbacks given up.', () => desk.callbacks.lost],
    ['sandbox_frames_sent', 'Frames put on media links.', () => host.stats.frames],
    ['sandbox_frames_replayed', 'Frames sent once more.', () => host.stats.replayed],
    ['sandbox_frame_messages_sent', 'Messages they went in.', () => host.stats.messages],
    [
      'sandbox_account_mismatches',
      'Streams whose losses worker and host counted differently.',
      () => host.stats.accountMismatches,
    ],
  ];
  for (const [name, help, read] of gauges) metrics.gauge({ name, help, read });
  return metrics;
}
