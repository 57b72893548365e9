import type { EndedSpan } from '@earshot/telemetry';
import { createTracer } from '@earshot/telemetry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WholeStack } from './whole-stack.js';
import { startWholeStack } from './whole-stack.js';

const CLIENT_TRACE = '0af7651916cd43dd8448eb211c80319c';
const CLIENT_SPAN = 'b7ad6b7169203331';

let stack: WholeStack;
const spans: EndedSpan[] = [];
let onSpan = (): void => {};

beforeAll(async () => {
  const sink = (span: EndedSpan): void => {
    spans.push(span);
    onSpan();
  };
  stack = await startWholeStack({ tracer: (service) => createTracer({ service, sink }) });
});

afterAll(() => stack.close());

async function callWith(traceparent: string): Promise<string> {
  const meeting = stack.sandbox.meetings()[0];
  if (meeting === undefined) throw new Error('the sandbox must have a meeting');
  return stack.call({ joinUrl: meeting.joinUrl, displayName: 'Secretary' }, { traceparent });
}

/** The worker ends its span a moment after its last event. */
async function sessionEnded(callId: string): Promise<void> {
  const isOver = (): boolean =>
    spans.some(
      ({ name, attributes }) => name === 'media.session' && attributes['callId'] === callId,
    );
  await new Promise<void>((resolve) => {
    onSpan = () => {
      if (isOver()) resolve();
    };
    onSpan();
  });
}

function only(found: readonly EndedSpan[]): EndedSpan {
  const [span] = found;
  if (span === undefined || found.length > 1) throw new Error(`got ${found.length} spans, not 1`);
  return span;
}

describe('the trace of a call', () => {
  it("goes from the client's request through Graph, host and worker to the events", async () => {
    const callId = await callWith(`00-${CLIENT_TRACE}-${CLIENT_SPAN}-01`);
    const events = await stack.ended(callId);
    await sessionEnded(callId);
    const trace = [...spans];
    expect(new Set(trace.map(({ traceId }) => traceId))).toEqual(new Set([CLIENT_TRACE]));
    const named = (name: string): EndedSpan[] => trace.filter((span) => span.name === name);

    const post = only(named('POST /v1/calls'));
    expect(post).toMatchObject({ parentSpanId: CLIENT_SPAN, attributes: { callId } });
    expect(only(named('graph.createCall')).parentSpanId).toBe(post.spanId);
    const callbacks = named('graph.callback');
    expect(callbacks.length).toBeGreaterThan(1);
    for (const { parentSpanId } of callbacks) expect(parentSpanId).toBe(post.spanId);
    const attach = only(named('call.attach'));
    expect(attach).toMatchObject({ parentSpanId: post.spanId, service: 'signaling' });
    const session = only(named('media.session'));
    expect(session).toMatchObject({
      parentSpanId: attach.spanId,
      service: 'media-worker',
      attributes: { callId, epoch: attach.attributes['epoch'], reason: 'callEnded' },
    });

    const publishes = named('events.publish');
    const parentsOf = (service: string): Set<string | undefined> =>
      new Set(publishes.filter((s) => s.service === service).map((s) => s.parentSpanId));
    expect(parentsOf('signaling')).toEqual(new Set([post.spanId]));
    expect(parentsOf('media-worker')).toEqual(new Set([session.spanId]));
    for (const { source, traceparent } of events) {
      const { spanId } = source === 'media' ? session : post;
      expect(traceparent).toBe(`00-${CLIENT_TRACE}-${spanId}-01`);
    }
    expect(trace.filter(({ failure }) => failure !== undefined)).toEqual([]);
    expectNoPersonalData(trace);
  });

  it('begins with the call when the client names none that is valid', async () => {
    const callId = await callWith(`00-${'0'.repeat(32)}-${CLIENT_SPAN}-01`);
    const events = await stack.ended(callId);
    await sessionEnded(callId);
    const own = spans.filter(({ attributes }) => attributes['callId'] === callId);
    const post = only(own.filter(({ name }) => name === 'POST /v1/calls'));
    expect(post.parentSpanId).toBeUndefined();
    expect(new Set(own.map(({ traceId }) => traceId))).toEqual(new Set([post.traceId]));
    expect(events.every(({ traceparent = '' }) => traceparent.includes(post.traceId))).toBe(true);
  });
});

/** Ids, numbers and codes are all that attributes may hold. */
function expectNoPersonalData(trace: readonly EndedSpan[]): void {
  const names = new Set(trace.flatMap(({ attributes }) => Object.keys(attributes)));
  expect([...names].sort()).toEqual(['callId', 'epoch', 'events', 'reason']);
}
