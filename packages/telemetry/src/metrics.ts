import client from 'prom-client';

export interface MetricsOptions {
  /** Name of the program: the label `service` of every series. */
  readonly service: string;
  /** Adds memory, CPU, event loop and garbage collection. @defaultValue true */
  readonly process?: boolean;
}

export interface MetricOptions<Label extends string = never> {
  /** In snake_case with its unit, as in `frames_received_total`; `earshot_` is put before it. */
  readonly name: string;
  /** One sentence for the reader of a dashboard. */
  readonly help: string;
  /** Labels of which each use gives the values; few values each. */
  readonly labelNames?: readonly Label[];
}

export interface GaugeOptions<Label extends string = never> extends MetricOptions<Label> {
  /** Read at each scrape in place of `set`. */
  readonly read?: () => number;
}

export interface HistogramOptions<Label extends string = never> extends MetricOptions<Label> {
  /** Upper bounds, ascending. @defaultValue those of prom-client, for seconds */
  readonly buckets?: readonly number[];
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
  /** @throws Error when the name is taken or malformed; so for all three. */
  counter<Label extends string = never>(options: MetricOptions<Label>): Counter<Label>;
  gauge<Label extends string = never>(options: GaugeOptions<Label>): Gauge<Label>;
  histogram<Label extends string = never>(options: HistogramOptions<Label>): Histogram<Label>;
  /** Everything in the Prometheus text format. */
  text(): Promise<string>;
  /** The media type of `text()`. */
  readonly contentType: string;
}

const NAME_PREFIX = 'earshot_';

/** Opens an empty set of metrics. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new client.Registry();
  registry.setDefaultLabels({ service: options.service });
  if (options.process ?? true) client.collectDefaultMetrics({ register: registry });
  return {
    counter(metric) {
      const counter = new client.Counter(configurationOf(metric, registry));
      return { add: (value = 1, labels) => counter.inc(labels ?? {}, value) };
    },
    gauge(metric) {
      const { read } = metric;
      const gauge = new client.Gauge({
        ...configurationOf(metric, registry),
        ...(read && {
          collect() {
            this.set(read());
          },
        }),
      });
      return {
        set: (value, labels) => gauge.set(labels ?? {}, value),
        add: (value, labels) => gauge.inc(labels ?? {}, value),
      };
    },
    histogram(metric) {
      const histogram = new client.Histogram({
        ...configurationOf(metric, registry),
        ...(metric.buckets && { buckets: [...metric.buckets] }),
      });
      return { observe: (value, labels) => histogram.observe(labels ?? {}, value) };
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

function configurationOf(options: MetricOptions<string>, registry: client.Registry): Configuration {
  return {
    name: NAME_PREFIX + options.name,
    help: options.help,
    labelNames: [...(options.labelNames ?? [])],
    registers: [registry],
  };
}
