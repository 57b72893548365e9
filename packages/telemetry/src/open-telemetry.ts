// The only file that names OpenTelemetry; loaded when tracing is on.
import { setTimeout as wait } from 'node:timers/promises';
import type { Span as OtelSpan } from '@opentelemetry/api';
import { ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { formatTraceparent, parseTraceparent } from './traceparent.js';
import type { EndedSpan, Span, SpanAttributes, Tracer, TracerOptions } from './tracer.js';

/** A collector that is away must not hold up the end of the process. */
const CLOSE_MS = 500;

/** Starts a provider of its own: nothing is registered for the whole process. */
export function startOpenTelemetry(options: TracerOptions): Tracer {
  const { service } = options;
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    spanProcessors: [processorOf(options)],
  });
  const tracer = provider.getTracer('earshot');
  let closing: Promise<void> | undefined;
  return {
    isOn: true,
    start(name, { parent, attributes } = {}) {
      const remote = parseTraceparent(parent);
      const context =
        remote === undefined
          ? ROOT_CONTEXT
          : trace.setSpanContext(ROOT_CONTEXT, { ...remote, isRemote: true });
      return wrap(tracer.startSpan(name, attributes === undefined ? {} : { attributes }, context));
    },
    close() {
      const tooLate = (): Promise<void> => wait(CLOSE_MS, undefined, { ref: false });
      closing ??= Promise.race([provider.shutdown().catch(() => {}), tooLate()]);
      return closing;
    },
  };
}

function wrap(span: OtelSpan): Span {
  return {
    traceparent: formatTraceparent(span.spanContext()),
    set: (attributes) => void span.setAttributes(attributes),
    end(failure) {
      if (!span.isRecording()) return;
      if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
      span.end();
    },
  };
}

function processorOf({ service, endpoint = '', sink }: TracerOptions): SpanProcessor {
  if (sink !== undefined) return { ...SILENT, onEnd: (span) => sink(endedSpan(service, span)) };
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
  const exporter = new OTLPTraceExporter({ url });
  // Bounded: spans beyond the queue's 2048 are dropped.
  return new BatchSpanProcessor(exporter);
}

const SILENT = {
  onStart() {},
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

function endedSpan(service: string, span: ReadableSpan): EndedSpan {
  const { traceId, spanId } = span.spanContext();
  return {
    name: span.name,
    service,
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    attributes: plain(span.attributes),
    failure: span.status.code === SpanStatusCode.ERROR ? span.status.message : undefined,
  };
}

/** Ours are never lists. */
function plain(attributes: ReadableSpan['attributes']): SpanAttributes {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
        ? [[name, value]]
        : [],
    ),
  );
}
