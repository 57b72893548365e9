import client from 'prom-client';

export interface MetricsOptions {
  /** Name of the program: the label `service` of every series. */
  readonly service: string;
  /** Adds memory, CPU, event loop and garbage collection. @defaultValue true */
  readonly process?: boolean;
}

export interface MetricOptions<Label extends string = never> {
  /**
   * In snake_case with its base unit: counters end in `_total`, histograms in `_seconds` or
   * `_bytes`. `earshot_` is put before it.
   */
  readonly name: string;
  /** One sentence for the reader of a dashboard. */
  readonly help: string;
  /** Labels of which each use gives the values; few values each, and nothing of one call. */
  readonly labelNames?: readonly Label[];
}

/** One series at a scrape. */
export interface Sample<Label extends string = never> {
  readonly labels: Readonly<Record<Label, string>>;
  readonly value: number;
}

/** For what is counted elsewhere: read at each scrape in place of being told. */
export interface ReadOptions<Label extends string = never> extends MetricOptions<Label> {
  readonly read?: () => number;
  /** For all values of the labels. */
  readonly readAll?: () => readonly Sample<Label>[];
}

/** A reading of a distribution that is counted elsewhere. */
export interface HistogramReading {
  /** How many were at or below each bound, ascending; the last bound is infinite. */
  readonly buckets: readonly { readonly bound: number; readonly count: number }[];
  readonly sum: number;
}

export interface HistogramOptions<Label extends string = never> extends MetricOptions<Label> {
  /** Upper bounds, ascending. @defaultValue those of prom-client, for seconds */
  readonly buckets?: readonly number[];
}

export interface ReadHistogramOptions extends MetricOptions {
  readonly read: () => HistogramReading;
}

/** A sum that only grows. */
export interface Counter<Label extends string = never> {
  /** @param value 0 or more. @defaultValue 1 */
  add(value?: number, labels?: Readonly<Record<Label, string>>): void;
}

/** A value that goes up and down. */
export interface Gauge<Label extends string = never> {
  set(value: number, labels?: Readonly<Record<Label, string>>): void;
  add(value: number, labels?: Readonly<Record<Label, string>>): void;
}

/** A distribution. */
export interface Histogram<Label extends string = never> {
  observe(value: number, labels?: Readonly<Record<Label, string>>): void;
}

/** The metrics of one program, apart from those of any other in the same process. */
export interface Metrics {
  /** @throws Error when the name is taken or breaks the rules of names; so for all. */
  counter<Label extends string = never>(options: ReadOptions<Label>): Counter<Label>;
  gauge<Label extends string = never>(options: ReadOptions<Label>): Gauge<Label>;
  histogram<Label extends string = never>(options: HistogramOptions<Label>): Histogram<Label>;
  readHistogram(options: ReadHistogramOptions): void;
  /** Everything in the Prometheus text format. */
  text(): Promise<string>;
  /** The media type of `text()`. */
  readonly contentType: string;
}

const NAME_PREFIX = 'earshot_';
const NAMES = {
  counter: /^[a-z][a-z0-9_]*_total$/,
  gauge: /^(?!.*_(total|ms|millis\w*|micros\w*|kb|mb|percent)$)[a-z][a-z0-9_]*$/,
  histogram: /^[a-z][a-z0-9_]*_(seconds|bytes)$/,
} as const;

/** Opens an empty set of metrics. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new client.Registry();
  registry.setDefaultLabels({ service: options.service });
  if (options.process ?? true) client.collectDefaultMetrics({ register: registry });
  return {
    counter(metric) {
      const configuration = configurationOf('counter', metric, registry);
      const counter = new client.Counter({
        ...configuration,
        ...collectBy(metric, (labels, value) => counter.inc(labels, value)),
      });
      return { add: (value = 1, labels) => counter.inc(labels ?? {}, value) };
    },
    gauge(metric) {
      const configuration = configurationOf('gauge', metric, registry);
      const gauge = new client.Gauge({
        ...configuration,
        ...collectBy(metric, (labels, value) => gauge.set(labels, value)),
      });
      return {
        set: (value, labels) => gauge.set(labels ?? {}, value),
        add: (value, labels) => gauge.inc(labels ?? {}, value),
      };
    },
    histogram(metric) {
      const histogram = new client.Histogram({
        ...configurationOf('histogram', metric, registry),
        ...(metric.buckets && { buckets: [...metric.buckets] }),
      });
      return { observe: (value, labels) => histogram.observe(labels ?? {}, value) };
    },
    readHistogram(metric) {
      registerReading(configurationOf('histogram', metric, registry), metric.read);
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

interface Configuration {
  name: string;
  help: string;
  labelNames: string[];
  registers: client.Registry[];
}

function configurationOf(
  type: keyof typeof NAMES,
  options: MetricOptions<string>,
  registry: client.Registry,
): Configuration {
  const { name, help, labelNames = [] } = options;
  if (!NAMES[type].test(name)) {
    throw new Error(
      `Cannot add a metric: a ${type} must be named in snake_case with its base unit, got ${name}`,
    );
  }
  return { name: NAME_PREFIX + name, help, labelNames: [...labelNames], registers: [registry] };
}

/** All series anew at each scrape: what was counted elsewhere is told as it is. */
function collectBy(
  { read, readAll }: ReadOptions<string>,
  tell: (labels: Readonly<Record<string, string>>, value: number) => void,
): { collect?: (this: { reset(): void }) => void } {
  if (read === undefined && readAll === undefined) return {};
  return {
    collect() {
      this.reset();
      if (read !== undefined) tell({}, read());
      for (const { labels, value } of readAll?.() ?? []) tell(labels, value);
    },
  };
}

/** A histogram that takes its numbers at each scrape; prom-client's own prints only what it counted. */
function registerReading(configuration: Configuration, read: () => HistogramReading): void {
  const { name, help, registers } = configuration;
  const described = new client.Histogram({ name, help, registers: [] });
  const metric: client.Metric = new client.Gauge({ name, help, registers });
  metric.get = async () => {
    const { buckets, sum } = read();
    const count = buckets.at(-1)?.count ?? 0;
    return {
      ...(await described.get()),
      values: [
        ...buckets.map(({ bound, count: below }) => ({
          metricName: `${name}_bucket`,
          labels: { le: Number.isFinite(bound) ? bound : '+Inf' },
          value: below,
        })),
        { metricName: `${name}_sum`, labels: {}, value: sum },
        { metricName: `${name}_count`, labels: {}, value: count },
      ],
    };
  };
}
