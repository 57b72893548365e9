export type { Log, LogDestination, LogFields, LogLevel, LogOptions } from './log.js';
export { createLog } from './log.js';
export type {
  Counter,
  Gauge,
  GaugeOptions,
  Histogram,
  HistogramOptions,
  MetricOptions,
  Metrics,
  MetricsOptions,
} from './metrics.js';
export { createMetrics } from './metrics.js';
export { redact } from './redact.js';
