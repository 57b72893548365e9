import type { Metrics } from '@earshot/telemetry';
import type { Admission } from './admission.js';

/** Shows what the app has used of its limits, as this process saw it last. */
export function addAdmissionMetrics(metrics: Metrics, admission: Admission): void {
  const { limits } = admission;
  metrics.gauge({
    name: 'admission_calls',
    help: 'Calls that the app has at once, of all processes.',
    read: () => admission.seen?.calls ?? 0,
  });
  metrics.gauge({
    name: 'admission_calls_limit',
    help: 'Calls that the app may have at once.',
    read: () => limits.calls,
  });
  metrics.gauge({
    name: 'admission_calls_this_month',
    help: 'Calls that the app has made in this calendar month (UTC), of all processes.',
    read: () => admission.seen?.callsThisMonth ?? 0,
  });
  metrics.gauge({
    name: 'admission_calls_per_month_limit',
    help: 'Calls that the app may make in a calendar month.',
    read: () => limits.callsPerMonth,
  });
  metrics.gauge({
    name: 'admission_pause_seconds',
    help: 'How much longer no call is made because Graph asked to wait, when last looked.',
    read: () => {
      const { pause, nowMs = 0 } = admission.seen ?? {};
      return pause === undefined ? 0 : Math.max(0, pause.untilMs - nowMs) / 1000;
    },
  });
}
