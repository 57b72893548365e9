import { CodedError } from '@earshot/async';
import type { GateState } from '@earshot/recording-gate';
import { closedGate, reduceGate, storedGateKey } from '@earshot/recording-gate';
import { Worker } from 'bullmq';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { EarshotEvent } from '../src/event.js';
import { contentOf, withoutContent } from '../src/letter-content.js';
import { Names } from '../src/names.js';
import { partitionOf } from '../src/partition.js';
import { JOB_OPTIONS, PartitionQueues } from '../src/partition-queues.js';
import { Subscriptions } from '../src/subscriptions.js';
import { publishAll, speech, until, useRedis } from './support.js';

const redis = useRedis();

const SECRET = 'hunter2-geheim';
const FOUND_MS = Date.parse('2026-11-23T20:00:00.000Z');
const CLOSED = closedGate('declaration');
const OPEN = reduceGate(CLOSED, { kind: 'declared' });

function transcript(position: number): EarshotEvent {
  return {
    ...speech('c_1', position),
    type: 'transcript.final',
    participant: { id: 'p-1', displayName: SECRET },
    sourceId: '201',
    mediaTimeMs: 65_000,
    data: {
      utteranceId: 'u_1',
      text: `my password is ${SECRET}`,
      startMs: 60_000,
      endMs: 64_000,
      words: [],
      gaps: [],
      confidence: null,
      engine: 'e',
      language: 'en-US',
    },
  };
}

/** When it was said, at the earliest: 5 s before it was found, and a replay before that. */
const BEGAN_MS = FOUND_MS - 5_000 - 30_000;

async function gate(state: GateState, sinceMs: number, untilMs: number): Promise<void> {
  const fields = { gate: JSON.stringify(state), since: sinceMs, until: untilMs };
  await redis.raw.hset(storedGateKey('earshot', 'c_1'), fields);
}

/** Sets these events aside, by a handler whose error repeats what it got. */
async function fail(...events: readonly EarshotEvent[]): Promise<void> {
  const consumer = await redis.consumer((event) => {
    throw new TypeError(`cannot store ${JSON.stringify(event)}`);
  });
  await publishAll(await redis.publisher(), events);
  await until(() => consumer.stats.failed === events.length);
  await consumer.close();
}

async function subscriptions(): Promise<Subscriptions> {
  const opened = new Subscriptions({ redisUrl: redis.server.url });
  onTestFinished(() => opened.close());
  await opened.ready();
  return opened;
}

async function letters() {
  return (await (await subscriptions()).deadLetters('default')).letters;
}

/** Everything that is in Redis, as text. */
async function dump(): Promise<string> {
  const stream = await redis.raw.xrange('earshot:{dead-events:default}:letters', '-', '+');
  const hashes = await redis.raw.keys('earshot:{events-*}:events-default-*');
  const jobs = await Promise.all(
    hashes.map(async (key) =>
      (await redis.raw.type(key)) === 'hash' ? redis.raw.hgetall(key) : {},
    ),
  );
  return JSON.stringify([stream, jobs]);
}

describe('a dead letter of what somebody said', () => {
  it.each([
    ['there is no gate', undefined],
    ['the gate is closed', () => gate(CLOSED, 0, Date.now() + 60_000)],
    ['the gate was told of too long ago', () => gate(OPEN, 0, Date.now() - 1)],
    ['it was said before the gate opened', () => gate(OPEN, BEGAN_MS + 1, Date.now() + 60_000)],
  ])('tells which it was and what failed, and nothing of it, when %s', async (_, set) => {
    await set?.();
    await fail(transcript(3));
    const [letter] = await letters();
    const { id, version, type, callId, epoch, source, position, mediaTimeMs, wallclock, sourceId } =
      transcript(3);
    expect(letter).toMatchObject({
      error: 'TypeError',
      withheldBytes: Buffer.byteLength(JSON.stringify(transcript(3))),
    });
    expect(letter?.stack).toMatch(/^ {4}at .*withheld-letters\.test\.ts/);
    expect(letter?.event).toEqual({
      ...{ version, id, type, callId, epoch, source, position, mediaTimeMs, wallclock, sourceId },
    });
    expect(await dump()).not.toContain(SECRET);
  });

  it('is whole where the call may be recorded, and can be replayed', async () => {
    await gate(OPEN, BEGAN_MS, Date.now() + 60_000);
    await fail(transcript(3));
    const [letter] = await letters();
    expect(letter?.withheldBytes).toBeUndefined();
    expect(letter?.error).toContain(SECRET);
    expect(letter?.event).toEqual(transcript(3));
    const got: EarshotEvent[] = [];
    await redis.consumer((event) => void got.push(event));
    const admin = await subscriptions();
    expect(await admin.replay('default')).toEqual({ replayed: 1, invalid: 0, withheld: 0 });
    await until(() => got.length === 1);
    expect(got).toEqual([transcript(3)]);
  });

  it('stays when it is replayed, counted apart, and can be dropped', async () => {
    await fail(transcript(0), speech('c_1', 1));
    const admin = await subscriptions();
    expect(await admin.replay('default')).toEqual({ replayed: 1, invalid: 0, withheld: 1 });
    expect(await letters()).toMatchObject([{ event: { type: 'transcript.final', position: 0 } }]);
    expect(await admin.drop('default')).toBe(1);
  });
});

describe('a dead letter of anything else', () => {
  it('is whole, whatever the gate', async () => {
    await fail(speech('c_1', 0));
    expect(await letters()).toMatchObject([
      { event: speech('c_1', 0), error: expect.stringContaining('cannot store') },
    ]);
  });

  it.each([
    ['no more than a name, where nobody can tell what it holds', false],
    ['whole, where the call may be recorded, and no event to replay', true],
  ])('is %s', async (_, isOpen) => {
    if (isOpen) await gate(OPEN, BEGAN_MS, Date.now() + 60_000);
    const consumer = await redis.consumer(() => {});
    const queues = new PartitionQueues(redis.raw, new Names('earshot'));
    onTestFinished(() => queues.close());
    const newer = { ...speech('c_1', 4), type: 'transcript.translated', data: { text: SECRET } };
    await queues.of('default', partitionOf('c_1')).add('events', { events: [newer] }, JOB_OPTIONS);
    await until(() => consumer.stats.failed === 1);
    const [letter] = await letters();
    expect(letter?.event).toMatchObject({ type: 'transcript.translated', position: 4 });
    expect(letter?.error).toMatch(/^Cannot read event: it must match the schema/);
    expect((await dump()).includes(SECRET)).toBe(isOpen);
    expect(await (await subscriptions()).replay('default')).toEqual({
      ...{ replayed: 0, invalid: Number(isOpen), withheld: Number(!isOpen) },
    });
  });
});

describe('what a letter keeps of an event without leave', () => {
  it('is short names and numbers of the envelope, whatever came', () => {
    const names = [
      ...['version', 'id', 'type', 'callId', 'epoch', 'source', 'position'],
      ...['mediaTimeMs', 'wallclock', 'sourceId'],
    ];
    const value = fc.anything();
    const envelope = fc.record(
      Object.fromEntries(names.map((name) => [name, fc.oneof(fc.string(), value)])),
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(value, envelope), (came) => {
        expect(contentOf(came)).toBeDefined();
        for (const [name, kept] of Object.entries(withoutContent(came))) {
          expect(names).toContain(name);
          expect(String(kept)).toMatch(/^[\w.:!/+-]{1,200}$/);
        }
      }),
    );
  });
});

describe('a job that another program failed', () => {
  it('is not kept', async () => {
    const queues = new PartitionQueues(redis.raw, new Names('earshot'));
    onTestFinished(() => queues.close());
    await publishAll(await redis.publisher(), [transcript(0)]);
    const partition = partitionOf('c_1');
    const failed = new Promise((resolve) => {
      const worker = new Worker(
        `events-default-${partition}`,
        async () => {
          throw new CodedError('broken', 'Cannot');
        },
        { connection: redis.raw.duplicate(), prefix: `earshot:{events-${partition}}` },
      );
      worker.on('failed', resolve);
      onTestFinished(() => worker.close());
    });
    await failed;
    expect(await dump()).not.toContain(SECRET);
  });
});
