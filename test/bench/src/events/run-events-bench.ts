import process from 'node:process';
import { parseQuickOptions } from '../quick-options.js';
import { formatTable } from '../table.js';
import type { EventsResult } from './events-result.js';
import { eventsToJson } from './events-result.js';
import type { FlowFigures } from './measure-flow.js';
import { measureFlow } from './measure-flow.js';
import type { HandoverFigures } from './measure-handover.js';
import { measureHandover } from './measure-handover.js';

const CALLS = 20;

/** `npm run bench -- events …`: a table, then one line of JSON (`EventsResult`) on stdout. */
export async function runEventsBench(args: readonly string[]): Promise<void> {
  const { json, quick } = parseQuickOptions('events', args);
  const flow = await measureFlow(quick);
  const handover = await measureHandover(CALLS);
  if (!json) process.stdout.write(`${format(flow, handover)}\n`);
  const result: EventsResult = {
    eventsPerSecond: flow.eventsPerSecond,
    p99Ms: flow.p99Ms,
    drainSecondsFor20Calls: handover.drainSeconds,
    failoverSeconds: handover.failoverSeconds,
    lostFrames: handover.lostFrames,
  };
  process.stdout.write(`${eventsToJson(result)}\n`);
}

function format(flow: FlowFigures, handover: HandoverFigures): string {
  return formatTable([
    ['events/s a core', flow.eventsPerSecond.toFixed(0)],
    ['µs an event: publisher', flow.publisherMicros.toFixed(1)],
    ['µs an event: consumer', flow.consumerMicros.toFixed(1)],
    ['events/s by the clock', flow.eventsPerSecondByClock.toFixed(0)],
    ['at 1000 events/s: p50, ms', flow.p50Ms.toFixed(1)],
    ['at 1000 events/s: p99, ms', flow.p99Ms.toFixed(1)],
    ['at 1000 events/s: longest, ms', flow.maxMs.toFixed(1)],
    [`drain of ${CALLS} calls, s`, handover.drainSeconds.toFixed(2)],
    [`fail-over of ${CALLS} calls, s`, handover.failoverSeconds.toFixed(2)],
    ['frames lost by both', String(handover.lostFrames)],
  ]);
}
