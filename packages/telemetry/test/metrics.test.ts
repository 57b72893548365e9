import { describe, expect, it } from 'vitest';
import { createMetrics } from '../src/metrics.js';

describe('createMetrics', () => {
  it('counts, with and without labels', async () => {
    const metrics = createMetrics({ service: 'test', process: false });
    const calls = metrics.counter({ name: 'calls_total', help: 'Calls.' });
    const frames = metrics.counter({
      name: 'frames_total',
      help: 'Frames.',
      labelNames: ['codec'],
    });
    calls.add();
    calls.add(2);
    frames.add(5, { codec: 'opus' });
    const text = await metrics.text();
    expect(text).toContain('earshot_calls_total{service="test"} 3');
    expect(text).toContain('earshot_frames_total{codec="opus",service="test"} 5');
    expect(metrics.contentType).toContain('text/plain');
  });

  it('refuses a counter that goes down', () => {
    const metrics = createMetrics({ service: 'test', process: false });
    const calls = metrics.counter({ name: 'calls_total', help: 'Calls.' });
    expect(() => calls.add(-1)).toThrow();
  });

  it('sets gauges and reads them at each scrape', async () => {
    const metrics = createMetrics({ service: 'test', process: false });
    let waiting = 1;
    metrics.gauge({ name: 'waiting', help: 'Waiting.', read: () => waiting });
    const open = metrics.gauge({ name: 'open', help: 'Open.' });
    open.set(4);
    open.add(-1);
    waiting = 7;
    const text = await metrics.text();
    expect(text).toContain('earshot_waiting{service="test"} 7');
    expect(text).toContain('earshot_open{service="test"} 3');
  });

  it('reads at each scrape what is counted elsewhere', async () => {
    const metrics = createMetrics({ service: 'test', process: false });
    let frames = 3;
    metrics.counter({ name: 'frames_total', help: 'Frames.', read: () => frames });
    metrics.counter<'thread'>({
      name: 'busy_seconds_total',
      help: 'Busy.',
      labelNames: ['thread'],
      readAll: () => [{ labels: { thread: '0' }, value: frames / 2 }],
    });
    metrics.readHistogram({
      name: 'wait_seconds',
      help: 'Wait.',
      read: () => ({
        buckets: [
          { bound: 0.5, count: 1 },
          { bound: Number.POSITIVE_INFINITY, count: frames },
        ],
        sum: 2.5,
      }),
    });
    await metrics.text();
    frames = 5;
    const text = await metrics.text();
    expect(text).toContain('earshot_frames_total{service="test"} 5');
    expect(text).toContain('earshot_busy_seconds_total{thread="0",service="test"} 2.5');
    expect(text).toContain('# TYPE earshot_wait_seconds histogram');
    expect(text).toContain('earshot_wait_seconds_bucket{le="0.5",service="test"} 1');
    expect(text).toContain('earshot_wait_seconds_bucket{le="+Inf",service="test"} 5');
    expect(text).toContain('earshot_wait_seconds_sum{service="test"} 2.5');
    expect(text).toContain('earshot_wait_seconds_count{service="test"} 5');
  });

  it('refuses names that break the rules of Prometheus', () => {
    const metrics = createMetrics({ service: 'test', process: false });
    const help = 'Help.';
    for (const name of ['calls', 'callsTotal', 'Calls_total', 'total']) {
      expect(() => metrics.counter({ name, help }), name).toThrow('base unit');
    }
    for (const name of ['calls_total', 'lag_ms', 'lag_millis', 'heap_mb', 'busy_percent', 'a-b']) {
      expect(() => metrics.gauge({ name, help }), name).toThrow('base unit');
    }
    for (const name of ['lag', 'lag_ms', 'lag_seconds_total']) {
      expect(() => metrics.histogram({ name, help }), name).toThrow('base unit');
    }
  });

  it('sorts observations into buckets', async () => {
    const metrics = createMetrics({ service: 'test', process: false });
    const lag = metrics.histogram({ name: 'lag_seconds', help: 'Lag.', buckets: [0.1, 1] });
    for (const value of [0.05, 0.5, 5]) lag.observe(value);
    const text = await metrics.text();
    expect(text).toContain('earshot_lag_seconds_bucket{le="0.1",service="test"} 1');
    expect(text).toContain('earshot_lag_seconds_bucket{le="1",service="test"} 2');
    expect(text).toContain('earshot_lag_seconds_count{service="test"} 3');
  });

  it('keeps two programs of one process apart, and shows the process', async () => {
    const one = createMetrics({ service: 'one' });
    const two = createMetrics({ service: 'two', process: false });
    one.counter({ name: 'calls_total', help: 'Calls.' }).add();
    two.counter({ name: 'calls_total', help: 'Calls.' });
    expect(await one.text()).toMatch(/process_cpu_seconds_total|nodejs_eventloop_lag_seconds/);
    expect(await two.text()).toContain('earshot_calls_total{service="two"} 0');
  });
});
