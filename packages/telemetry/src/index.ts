export { AnswerWatch } from './answer-watch.js';
export { EventLoopDelay } from './event-loop-delay.js';
export type { PublisherFigures } from './event-metrics.js';
export { addEventMetrics } from './event-metrics.js';
export type { HealthOptions, HealthReply, HealthReport, HealthServer } from './health.js';
export { addHealthRoutes, DEFAULT_CLEAR_AFTER_MS, Health } from './health.js';
export type { HealthCheckOptions, HealthCheckReport, HealthEffect } from './health-check.js';
export { HealthCheck } from './health-check.js';
export type { HealthLimits } from './health-limits.js';
export { parseHealthLimits } from './health-limits.js';
export type { Log, LogDestination, LogFields, LogLevel, LogOptions } from './log.js';
export { createLog } from './log.js';
export type {
  Counter,
  Gauge,
  Histogram,
  HistogramOptions,
  HistogramReading,
  MetricOptions,
  Metrics,
  MetricsOptions,
  ReadHistogramOptions,
  ReadOptions,
  Sample,
} from './metrics.js';
export { createMetrics } from './metrics.js';
export { redact } from './redact.js';
export type { OutboxState, ServiceCheckParts } from './service-checks.js';
export { eventLoopCheck, serviceChecks } from './service-checks.js';
export { tracedBatches } from './traced-batches.js';
export type {
  EndedSpan,
  Span,
  SpanAttributes,
  SpanOptions,
  Tracer,
  TracerOptions,
} from './tracer.js';
export { createTracer, inSpan, NO_TRACER } from './tracer.js';
