import { parseEvent } from '@earshot/events';
import { expect, test } from 'vitest';
import { eventsToJson } from '../src/events/events-result.js';
import { SampleEvents } from '../src/events/sample-events.js';

test('the result is one line with numbers as long as they mean something', () => {
  expect(
    eventsToJson({
      eventsPerSecond: 30271.557,
      p99Ms: 21.21712,
      drainSecondsFor20Calls: 0.42978,
      failoverSeconds: 2.24745,
      lostFrames: 0,
    }),
  ).toBe(
    '{"eventsPerSecond":30270,"p99Ms":21.22,"drainSecondsFor20Calls":0.4298,"failoverSeconds":2.247,"lostFrames":0}',
  );
});

test('the sample is of valid events, in order per call', () => {
  const sample = new SampleEvents();
  const next = new Map<string, number>();
  const ids = new Set<string>();
  for (let i = 0; i < 1_000; i += 1) {
    const event = parseEvent(JSON.parse(JSON.stringify(sample.take())));
    expect(event.position).toBe(next.get(event.callId) ?? 0);
    next.set(event.callId, event.position + 1);
    ids.add(event.id);
  }
  expect(ids.size).toBe(1_000);
});
