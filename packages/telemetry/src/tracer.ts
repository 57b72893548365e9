import { parseTraceparent } from './traceparent.js';

/** Ids, numbers and codes: never personal data. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanOptions {
  /** The `traceparent` of the span that caused this one, of any service; an invalid one is ignored. */
  readonly parent?: unknown;
  readonly attributes?: SpanAttributes;
}

/** One step of a call, from `start` to `end`. */
export interface Span {
  /** W3C `traceparent` for what this step causes. While tracing is off: the parent's, handed on. */
  readonly traceparent: string | undefined;
  /** Adds attributes; before the end only. */
  set(attributes: SpanAttributes): void;
  /** @param failure the code of what went wrong. Only the first end counts. */
  end(failure?: string): void;
}

/** Tells of the steps of calls, across services. */
export interface Tracer {
  /** Whether anybody is told. */
  readonly isOn: boolean;
  start(name: string, options?: SpanOptions): Span;
  /** Sends what waits, for at most half a second; never rejects. Idempotent. */
  close(): Promise<void>;
}

/** A span that ended, as told to a sink. */
export interface EndedSpan {
  readonly name: string;
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: SpanAttributes;
  readonly failure: string | undefined;
}

export interface TracerOptions {
  /** The name of the service in traces. */
  readonly service: string;
  /** Base URL of an OTLP/HTTP collector; without it, and without a sink, tracing is off. */
  readonly endpoint?: string | undefined;
  /** Told of each span as it ends, in place of a collector. */
  readonly sink?: (span: EndedSpan) => void;
}

/** Tracing that is off. */
export const NO_TRACER: Tracer = {
  isOn: false,
  start(_name, { parent } = {}) {
    const isValid = parseTraceparent(parent) !== undefined;
    return { traceparent: isValid ? String(parent) : undefined, set() {}, end() {} };
  },
  close: () => Promise.resolve(),
};

/** Makes a tracer. OpenTelemetry's SDK is loaded only when tracing is on. */
export async function createTracer(options: TracerOptions): Promise<Tracer> {
  if (options.endpoint === undefined && options.sink === undefined) return NO_TRACER;
  const { startOpenTelemetry } = await import('./open-telemetry.js');
  return startOpenTelemetry(options);
}

/** Runs `work` in a span, which ends as `work` does. */
export async function inSpan<T>(
  tracer: Tracer,
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const span = tracer.start(name, options);
  try {
    const result = await work(span);
    span.end();
    return result;
  } catch (error) {
    span.end(failureOf(error));
    throw error;
  }
}

/** A code only: messages may name addresses. */
export function failureOf(error: unknown): string {
  const hasCode = error instanceof Error && 'code' in error && typeof error.code === 'string';
  return hasCode ? String(error.code) : 'failed';
}
