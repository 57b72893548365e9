import type { Tracer } from './tracer.js';
import { failureOf } from './tracer.js';

/** Options of an event publisher that give each batch a span. */
export interface TracedBatches {
  readonly onBatch?: (
    events: readonly { readonly traceparent?: string | undefined }[],
  ) => (error?: unknown) => void;
}

/**
 * A span `events.publish` for each try to bring a batch to Redis. A batch may hold events of several
 * traces: it belongs to that of the first. Nothing while tracing is off.
 */
export function tracedBatches(tracer: Tracer): TracedBatches {
  if (!tracer.isOn) return {};
  return {
    onBatch(events) {
      const parent = events.find(({ traceparent }) => traceparent !== undefined)?.traceparent;
      const span = tracer.start('events.publish', {
        parent,
        attributes: { events: events.length },
      });
      return (error) => span.end(error === undefined ? undefined : failureOf(error));
    },
  };
}
