import { say } from '../progress.js';
import { quantile } from '../quartiles.js';
import { EventFlow } from './event-flow.js';

export interface FlowFigures {
  /** Events over the CPU time of both processes: what one core would take, without Redis. */
  readonly eventsPerSecond: number;
  /** The same of each alone, µs an event. */
  readonly publisherMicros: number;
  readonly consumerMicros: number;
  /** By the clock, on this machine with Redis beside. */
  readonly eventsPerSecondByClock: number;
  /** At 1000 events/s, from `publish` to the handler. */
  readonly p50Ms: number;
  /** The median of ten stretches. */
  readonly p99Ms: number;
  /** Of all. */
  readonly maxMs: number;
}

const PACE = 1_000;
const STRETCHES = 10;

/** How many events go from publisher to handler, and how fast. */
export async function measureFlow(quick: boolean): Promise<FlowFigures> {
  const flow = await EventFlow.start();
  try {
    // Until the machine code is made, and the outbox of both is warm.
    await flow.run({ kind: 'flood', events: quick ? 20_000 : 50_000 });
    const speeds = [];
    for (let round = 0; round < (quick ? 1 : 5); round += 1) {
      say('events: as fast as they go');
      speeds.push(await measureSpeed(flow, quick ? 50_000 : 100_000));
    }
    const sorted = speeds.sort((a, b) => a.eventsPerSecond - b.eventsPerSecond);
    const median = sorted[Math.floor(sorted.length / 2)];
    if (median === undefined) throw new Error('There must be a round');
    say(`events: ${PACE} a second`);
    return { ...median, ...(await measureLatency(flow, quick ? 5_000 : 30_000)) };
  } finally {
    await flow.close();
  }
}

async function measureSpeed(flow: EventFlow, events: number) {
  const { publisherCpuMicros, consumer } = await flow.run({ kind: 'flood', events });
  return {
    eventsPerSecond: events / ((publisherCpuMicros + consumer.cpuMicros) / 1e6),
    publisherMicros: publisherCpuMicros / events,
    consumerMicros: consumer.cpuMicros / events,
    eventsPerSecondByClock: events / (consumer.durationMs / 1_000),
  };
}

/** In stretches: one in which the machine was busy with something else is not the figure. */
async function measureLatency(flow: EventFlow, events: number) {
  const { consumer } = await flow.run({ kind: 'pace', events, perSecond: PACE });
  const times = [...consumer.latenciesMs];
  const stretches = Array.from({ length: STRETCHES }, (_, i) =>
    times.slice((i * events) / STRETCHES, ((i + 1) * events) / STRETCHES),
  );
  return {
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(
      stretches.map((stretch) => quantile(stretch, 0.99)),
      0.5,
    ),
    maxMs: quantile(times, 1),
  };
}
