import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { tracedBatches } from '../src/traced-batches.js';
import type { EndedSpan } from '../src/tracer.js';
import { createTracer, inSpan, NO_TRACER } from '../src/tracer.js';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const INVALID = [
  undefined,
  '',
  7,
  ['00'],
  PARENT.slice(1),
  `${PARENT}0`,
  PARENT.toUpperCase(),
  `01${PARENT.slice(2)}`,
  `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
  `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
];

async function recording() {
  const spans: EndedSpan[] = [];
  const tracer = await createTracer({ service: 'test', sink: (span) => spans.push(span) });
  return { spans, tracer };
}

describe('a tracer that is on', () => {
  it('continues the trace of a parent, and names each span for what it causes', async () => {
    const { spans, tracer } = await recording();
    const outer = tracer.start('outer', { parent: PARENT, attributes: { callId: 'c_1' } });
    const inner = tracer.start('inner', { parent: outer.traceparent });
    inner.end('busy');
    outer.set({ epoch: 3 });
    outer.end();
    outer.end('too late');
    expect(spans).toMatchObject([
      { name: 'inner', parentSpanId: spans[1]?.spanId, attributes: {}, failure: 'busy' },
      {
        name: 'outer',
        service: 'test',
        parentSpanId: 'b7ad6b7169203331',
        attributes: { callId: 'c_1', epoch: 3 },
        failure: undefined,
      },
    ]);
    expect(spans.map(({ traceId }) => traceId)).toEqual([
      '0af7651916cd43dd8448eb211c80319c',
      '0af7651916cd43dd8448eb211c80319c',
    ]);
    expect(outer.traceparent).toBe(`00-${spans[1]?.traceId}-${spans[1]?.spanId}-01`);
  });

  it('begins a trace of its own for an invalid parent', async () => {
    const { spans, tracer } = await recording();
    for (const parent of INVALID) tracer.start('step', { parent }).end();
    expect(spans.map(({ parentSpanId }) => parentSpanId)).toEqual(INVALID.map(() => undefined));
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(INVALID.length);
  });

  it('tells nothing of a trace that its parent does not record, but hands it on', async () => {
    const { spans, tracer } = await recording();
    const span = tracer.start('step', { parent: PARENT.replace(/01$/, '00') });
    span.end();
    expect(spans).toEqual([]);
    expect(span.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-00$/);
  });

  it('ends a span with the code of what was thrown, and throws it on', async () => {
    const { spans, tracer } = await recording();
    const error = Object.assign(new Error('private'), { code: 'gone' });
    const run = inSpan(tracer, 'step', {}, () => Promise.reject(error));
    await expect(run).rejects.toBe(error);
    expect(spans).toMatchObject([{ name: 'step', failure: 'gone' }]);
    expect(JSON.stringify(spans)).not.toContain('private');
  });

  it('gives a batch of events a span of the trace of its first', async () => {
    const { spans, tracer } = await recording();
    const ended = tracedBatches(tracer).onBatch?.([{}, { traceparent: PARENT }]);
    ended?.(new Error('private'));
    expect(spans).toMatchObject([
      { name: 'events.publish', parentSpanId: 'b7ad6b7169203331', failure: 'failed' },
    ]);
  });

  it('sends spans to a collector, at the latest when it is closed', async () => {
    const bodies: string[] = [];
    const collector = createServer((request, response) => {
      request.setEncoding('utf8').on('data', (text) => bodies.push(`${request.url} ${text}`));
      request.on('end', () => response.setHeader('content-type', 'application/json').end('{}'));
    });
    await once(collector.listen(0, '127.0.0.1'), 'listening');
    const { port } = collector.address() as AddressInfo;
    const tracer = await createTracer({ service: 'test', endpoint: `http://127.0.0.1:${port}/` });
    tracer.start('step').end();
    await tracer.close();
    collector.close();
    expect(bodies.join('')).toMatch(/^\/v1\/traces /);
    expect(bodies.join('')).toContain('"name":"step"');
    expect(bodies.join('')).toContain('"service.name"');
  });

  it('is closed in time though the collector does not answer', async () => {
    const collector = createServer(() => {});
    await once(collector.listen(0, '127.0.0.1'), 'listening');
    const { port } = collector.address() as AddressInfo;
    const tracer = await createTracer({ service: 'test', endpoint: `http://127.0.0.1:${port}` });
    tracer.start('step').end();
    // By timers of this process, which are late together.
    const late = sleep(2_000, 'late', { ref: false });
    expect(await Promise.race([tracer.close(), late])).toBeUndefined();
    collector.closeAllConnections();
    collector.close();
  });
});

describe('a tracer that is off', () => {
  it('hands a valid parent on, and no other', () => {
    const span = NO_TRACER.start('step', { parent: PARENT });
    span.set({ epoch: 3 });
    span.end();
    expect(span.traceparent).toBe(PARENT);
    for (const parent of INVALID) {
      expect(NO_TRACER.start('step', { parent }).traceparent).toBeUndefined();
    }
    expect(tracedBatches(NO_TRACER)).toEqual({});
  });

  // Not its API: the library of the metrics loads that.
  it.each([
    ['', 'none loaded'],
    ['sink() {}', 'some loaded'],
  ])("loads OpenTelemetry's SDK only when it is on: { %s }", async (option, expected) => {
    const script = `
      import { createRequire } from 'node:module';
      import { createTracer } from '@earshot/telemetry';
      const tracer = await createTracer({ service: 'test', ${option} });
      tracer.start('step').end();
      const { cache } = createRequire(import.meta.url);
      const has = Object.keys(cache).some((file) => /@opentelemetry.(sdk|exporter|otlp)/.test(file));
      process.stdout.write(has ? 'some loaded' : 'none loaded');`;
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
      cwd: new URL('..', import.meta.url),
    });
    expect(stdout).toBe(expected);
  });
});
