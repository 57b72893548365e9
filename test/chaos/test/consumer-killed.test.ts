import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@earshot/async/system';
import type { EarshotEvent } from '@earshot/events';
import { EventPublisher, partitionOf } from '@earshot/events';
import type { TestRedis } from '@earshot/test-kit';
import { startTestRedis } from '@earshot/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServiceChild, seeded } from '../dist/deployment.js';

const CHILD = fileURLToPath(new URL('../dist/consumer-child.js', import.meta.url));
const SEED = 7;
const CALLS = Array.from({ length: 16 }, (_, i) => `call-${i}`);
const KILLS = 3;
/** Published before each kill. */
const EVENTS_PER_CALL = 60;
const EVENTS_PER_KILL = CALLS.length * EVENTS_PER_CALL;
const EVENTS = KILLS * EVENTS_PER_KILL;

interface Handled {
  readonly consumer: string;
  readonly id: string;
  readonly callId: string;
  readonly position: number;
}

let redis: TestRedis;
let publisher: EventPublisher;
let folder: string;
let handledFile: string;
const consumers = new Map<string, ServiceChild>();

beforeAll(async () => {
  redis = await startTestRedis();
  publisher = new EventPublisher({ redisUrl: redis.url, clock: systemClock });
  await publisher.ready();
  folder = await mkdtemp(path.join(os.tmpdir(), 'earshot-handled-'));
  handledFile = path.join(folder, 'handled.jsonl');
});

afterAll(async () => {
  await Promise.all([...consumers.values()].map((child) => child.kill()));
  await publisher.close();
  await redis.close();
  await rm(folder, { recursive: true });
});

async function addConsumer(name: string): Promise<void> {
  const environment = { REDIS_URL: redis.url, HANDLED_FILE: handledFile, CONSUMER: name };
  consumers.set(name, await ServiceChild.run(CHILD, environment));
}

async function handled(): Promise<Handled[]> {
  const lines = (await readFile(handledFile, 'utf8')).split('\n').slice(0, -1);
  return lines.map((line): Handled => JSON.parse(line));
}

async function until(isReached: (lines: readonly Handled[]) => boolean): Promise<void> {
  for (;;) {
    if (isReached(await handled())) return;
    await sleep(5);
  }
}

function event(callId: string, position: number): EarshotEvent {
  return {
    version: 1,
    id: `${callId}.speech.${position}`,
    type: 'speech.started',
    callId,
    epoch: 1,
    source: 'media',
    position,
    mediaTimeMs: position * 20,
    wallclock: new Date(systemClock.wallclockMs()).toISOString(),
    participant: null,
    sourceId: null,
    data: { startMs: position * 20 },
  };
}

function publishShare(share: number): Promise<void> {
  for (let i = 0; i < EVENTS_PER_CALL; i += 1) {
    for (const callId of CALLS) {
      expect(publisher.publish(event(callId, share * EVENTS_PER_CALL + i))).toBe(true);
    }
  }
  return publisher.flushed();
}

describe('consumers of one subscription that are killed in the middle of a batch', () => {
  it('leave all to the others, in order per call, and once but for what was just handled', async () => {
    await Promise.all([addConsumer('0'), addConsumer('1')]);
    console.info(`kills by seed ${SEED}`);
    const random = seeded(SEED);
    for (let kill = 0; kill < KILLS; kill += 1) {
      await publishShare(kill);
      const atEvent = (kill + 0.9 * random()) * EVENTS_PER_KILL;
      await until((lines) => lines.length >= atEvent);
      await consumers.get(String(kill))?.kill();
      const next = addConsumer(String(kill + 2));
      await until((lines) => distinct(lines) === (kill + 1) * EVENTS_PER_KILL);
      await next;
    }
    const lines = await handled();
    const ids = new Set(CALLS.flatMap((callId) => idsOf(callId)));
    expect(new Set(lines.map(({ id }) => id))).toEqual(ids);
    const seen = new Map<string, Handled>();
    const twice: Handled[] = [];
    for (const line of lines) {
      const first = seen.get(line.id);
      if (first === undefined) seen.set(line.id, line);
      else twice.push(first);
    }
    for (const callId of CALLS) {
      const positions = positionsOf([...seen.values()], callId);
      expect(positions).toEqual(positions.map((_, i) => i));
      // What came again came before anything later of its call.
      const all = positionsOf(lines, callId);
      expect(all).toEqual(all.toSorted((a, b) => a - b));
    }
    console.info(`${twice.length} of ${EVENTS} events came twice, by ${KILLS} kills`);
    expectLastOfKilled(lines, twice);
  });
});

function positionsOf(lines: readonly Handled[], callId: string): number[] {
  return lines.filter((line) => line.callId === callId).map(({ position }) => position);
}

function distinct(lines: readonly Handled[]): number {
  return new Set(lines.map(({ id }) => id)).size;
}

function idsOf(callId: string): string[] {
  return Array.from(
    { length: KILLS * EVENTS_PER_CALL },
    (_, position) => event(callId, position).id,
  );
}

/** Only what a consumer had handled when it died, and not told yet, may come again. */
function expectLastOfKilled(lines: readonly Handled[], twice: readonly Handled[]): void {
  for (const { id, consumer, callId } of twice) {
    expect(Number(consumer)).toBeLessThan(KILLS);
    const partition = partitionOf(callId);
    const last = lines.findLast(
      (line) => line.consumer === consumer && partitionOf(line.callId) === partition,
    );
    expect(last?.id).toBe(id);
  }
  expect(new Set(twice.map(({ id }) => id)).size).toBe(twice.length);
}
