// The process that publishes: the publisher of the services, and nothing else.
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '@earshot/async/system';
import { EventPublisher } from '@earshot/events';
import { monotonicMs } from '../pipeline/monotonic.js';
import type { PublisherCommand, PublisherReport } from './messages.js';
import { SampleEvents } from './sample-events.js';

const sample = new SampleEvents();
let publisher: EventPublisher;

process.on('message', (command: PublisherCommand) => void take(command));
process.on('disconnect', () => process.exit(0));

async function take(command: PublisherCommand): Promise<void> {
  if (command.kind === 'start') {
    publisher = new EventPublisher({ redisUrl: command.redisUrl, clock: systemClock });
    await publisher.ready();
    return tell({ kind: 'ready' });
  }
  const cpu = process.cpuUsage();
  if (command.kind === 'flood') await flood(command.events);
  else await pace(command.events, command.perSecond);
  await publisher.flushed();
  const { user, system } = process.cpuUsage(cpu);
  tell({ kind: 'published', cpuMicros: user + system });
}

async function flood(events: number): Promise<void> {
  for (let i = 0; i < events; i += 1) await publish();
}

async function pace(events: number, perSecond: number): Promise<void> {
  const startMs = monotonicMs();
  for (let i = 0; i < events; ) {
    const due = Math.floor(((monotonicMs() - startMs) * perSecond) / 1_000);
    for (; i < Math.min(due, events); i += 1) await publish();
    await sleep(1);
  }
}

async function publish(): Promise<void> {
  const event = sample.take();
  while (!publisher.publish(event)) await sleep(2);
}

function tell(report: PublisherReport): void {
  process.send?.(report);
}
