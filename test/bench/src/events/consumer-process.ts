// The process that consumes: the consumer of the SDK, with a handler that looks at order and time.
import process from 'node:process';
import { systemClock } from '@earshot/async/system';
import type { EarshotEvent } from '@earshot/events';
import { EventConsumer } from '@earshot/events';
import { monotonicMs } from '../pipeline/monotonic.js';
import type { ConsumerCommand, ConsumerReport } from './messages.js';

const nextPositions = new Map<string, number>();
let latenciesMs = new Float64Array(0);
let expected = 0;
let handled = 0;
let outOfOrder = 0;
let beganMs = 0;
let cpu = process.cpuUsage();

process.on('message', (command: ConsumerCommand) => void take(command));
process.on('disconnect', () => process.exit(0));

async function take(command: ConsumerCommand): Promise<void> {
  if (command.kind === 'expect') return expect(command.events);
  const { redisUrl } = command;
  await new EventConsumer({ redisUrl, clock: systemClock, handler: handle }).start();
  tell({ kind: 'ready' });
}

function expect(events: number): void {
  latenciesMs = new Float64Array(events);
  expected = events;
  handled = 0;
  outOfOrder = 0;
  cpu = process.cpuUsage();
}

function handle({ callId, position, mediaTimeMs }: EarshotEvent): void {
  const nowMs = monotonicMs();
  if (handled === 0) beganMs = nowMs;
  latenciesMs[handled] = nowMs - (mediaTimeMs ?? 0);
  handled += 1;
  if (position !== (nextPositions.get(callId) ?? 0)) outOfOrder += 1;
  nextPositions.set(callId, position + 1);
  if (handled !== expected) return;
  const { user, system } = process.cpuUsage(cpu);
  const durationMs = nowMs - beganMs;
  const window = { cpuMicros: user + system, durationMs, latenciesMs, outOfOrder };
  tell({ kind: 'handled', window });
}

function tell(report: ConsumerReport): void {
  process.send?.(report);
}
