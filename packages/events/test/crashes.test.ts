import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CodedError } from '@earshot/async';
import { Lateness } from '@earshot/test-kit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PARTITIONS, partitionOf } from '../src/partition.js';
import { Subscriptions } from '../src/subscriptions.js';
import { publishAll, speech, until, useRedis } from './support.js';

const redis = useRedis({ persistent: true });
const PROGRAM = fileURLToPath(new URL('consumer-process.mjs', import.meta.url));
/** The promise: how soon another consumer goes on with the events of one that died. */
const FAILOVER_MS = 5_000;

function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

interface Consumer {
  readonly process: ChildProcess;
  /** What it said, line by line. */
  readonly lines: string[];
}

/** A consumer that does something special at the event of this position. */
async function spawnConsumer(
  at: number,
  does: 'hang' | 'block' | 'die' | 'log',
): Promise<Consumer> {
  const child = spawn(process.execPath, [PROGRAM, redis.server.url, String(at), does], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  await until(() => lines.includes('started'));
  return { process: child, lines };
}

function positionsOf({ lines }: Consumer): number[] {
  return lines.filter((line) => line.startsWith('event')).map((line) => Number(line.split(' ')[2]));
}

/** One call id for each partition. */
function callOfEachPartition(): string[] {
  const calls = new Map<number, string>();
  for (let i = 0; calls.size < PARTITIONS; i += 1) calls.set(partitionOf(`c_${i}`), `c_${i}`);
  return [...calls.values()];
}

describe('a consumer that dies', () => {
  it('leaves its batches to another, in order, in all partitions within 5 s', async () => {
    const calls = callOfEachPartition();
    const dying = await spawnConsumer(3, 'hang');
    const publisher = await redis.publisher({ maxBatch: 4 });
    await publishAll(
      publisher,
      upTo(12).flatMap((i) => calls.map((callId) => speech(callId, i))),
    );
    await until(() => positionsOf(dying).filter((p) => p === 3).length === PARTITIONS);
    const ours = new Map<string, number[]>(calls.map((callId) => [callId, []]));
    const firstMs = new Map<string, number>();
    await redis.consumer(({ callId, position }) => {
      if (!firstMs.has(callId)) firstMs.set(callId, performance.now());
      ours.get(callId)?.push(position);
    });
    const diedMs = performance.now();
    const lateness = new Lateness();
    dying.process.kill('SIGKILL');
    await until(() => [...ours.values()].every((positions) => positions.includes(11)));
    // What it had begun comes again; what it had done does not.
    for (const positions of ours.values()) expect(positions).toEqual(upTo(12).slice(3));
    const failoverMs = Math.max(...[...firstMs.values()].map((ms) => ms - diedMs));
    const lateMs = lateness.end();
    const ofThem = `${lateMs.toFixed(0)} of them for the machine`;
    console.info(`fail-over of ${PARTITIONS} partitions: ${failoverMs.toFixed(0)} ms, ${ofThem}`);
    expect(failoverMs - lateMs).toBeLessThan(FAILOVER_MS);
  });

  it('in full flow, and another, and another, loses nothing and inverts nothing', async () => {
    const calls = upTo(24).map((i) => `c_${i}`);
    const events = upTo(150).flatMap((i) => calls.map((callId) => speech(callId, i)));
    const consumers = await Promise.all(upTo(3).map(() => spawnConsumer(-1, 'log')));
    const publisher = await redis.publisher({ maxBatch: 20, outboxCapacity: events.length });
    await publishAll(publisher, events);
    for (const share of [0.1, 0.4, 0.7]) {
      await until(async () => (await redis.raw.llen('log')) > share * events.length);
      consumers.shift()?.process.kill('SIGKILL');
      consumers.push(await spawnConsumer(-1, 'log'));
    }
    const handled = async () => new Set(await redis.raw.lrange('log', 0, -1)).size;
    await until(async () => (await handled()) === events.length);
    const log = await redis.raw.lrange('log', 0, -1);
    const once = [...new Set(log)];
    for (const callId of calls) {
      const ids = once.filter((id) => id.startsWith(`${callId}/`));
      expect(ids).toEqual(upTo(150).map((i) => `${callId}/${i}`));
    }
    // At most the event at hand of each partition comes again.
    console.info(
      `3 consumers killed: ${log.length - once.length} of ${events.length} events twice`,
    );
    expect(log.length - once.length).toBeLessThanOrEqual(3 * PARTITIONS);
  });

  it('again and again over one event loses only that: it is set aside', async () => {
    const publisher = await redis.publisher();
    await publishAll(
      publisher,
      upTo(4).map((i) => speech('c_1', i)),
    );
    await publisher.flushed();
    // As after several deaths: the last one happens here.
    const partition = `earshot:{events-${partitionOf('c_1')}}`;
    const queue = `${partition}:events-default-${partitionOf('c_1')}`;
    const [jobId] = await redis.raw.lrange(`${queue}:wait`, 0, -1);
    await redis.raw.hset(`${queue}:${jobId}`, 'stc', 6);
    await redis.raw.hset(`${partition}:begun:default:c_1`, 'c_1/2', 4);
    const dying = spawn(process.execPath, [PROGRAM, redis.server.url, '2', 'die']);
    const [, signal] = await once(dying, 'exit');
    expect(signal).toBe('SIGKILL');
    const got: number[] = [];
    const consumer = await redis.consumer((event) => void got.push(event.position));
    await until(() => got.includes(3));
    expect(got).toEqual([3]);
    expect(consumer.stats).toEqual({ delivered: 1, duplicates: 2, failed: 1 });
    const admin = new Subscriptions({ redisUrl: redis.server.url });
    onTestFinished(() => admin.close());
    await admin.ready();
    const { letters } = await admin.deadLetters('default');
    expect(letters).toMatchObject([
      {
        error: 'Cannot handle the event: its consumer must live through it, got 5 that did not',
        event: { position: 2 },
      },
    ]);
  });
});

describe('an event that only fails, in a batch whose consumers died', () => {
  it('is not taken for what killed them, and is tried on while the dead letters are full', async () => {
    const publisher = await redis.publisher();
    publisher.publish(speech('c_1', 0));
    await publisher.flushed();
    const partition = `earshot:{events-${partitionOf('c_1')}}`;
    const queue = `${partition}:events-default-${partitionOf('c_1')}`;
    const [jobId] = await redis.raw.lrange(`${queue}:wait`, 0, -1);
    await redis.raw.hset(`${queue}:${jobId}`, 'stc', 6);
    await redis.raw.hset(`${partition}:begun:default:c_1`, 'c_1/0', 4);
    let fullTimes = 0;
    const got: number[] = [];
    await redis.consumer(
      ({ position }) => {
        if (fullTimes < 2) throw new Error('broken');
        got.push(position);
      },
      {
        maxDeadLetters: 0,
        onError: (error) => {
          if (error instanceof CodedError && error.code === 'dead_letters_full') fullTimes += 1;
        },
      },
    );
    await until(() => got.length === 1);
    await until(async () => (await redis.raw.exists(`${partition}:begun:default:c_1`)) === 0);
  });
});

describe('a consumer that is thought dead', () => {
  it('because it was paused, stops after the event at hand', async () => {
    const paused = await spawnConsumer(1, 'hang');
    const publisher = await redis.publisher();
    await publishAll(
      publisher,
      upTo(6).map((i) => speech('c_1', i)),
    );
    await until(() => positionsOf(paused).includes(1));
    paused.process.kill('SIGSTOP');
    const ours: number[] = [];
    await redis.consumer((event) => void ours.push(event.position));
    await until(() => ours.includes(5));
    expect(ours).toEqual([1, 2, 3, 4, 5]);
    paused.process.stdin?.write('go on\n');
    paused.process.kill('SIGCONT');
    await until(() => paused.lines.includes('error batch_lost'));
    expect(positionsOf(paused)).toEqual([0, 1]);
    // It takes part again.
    await publishAll(
      publisher,
      upTo(60).map((i) => speech(`c_${i}`, 6)),
    );
    await until(() => ours.filter((p) => p === 6).length + positionsOf(paused).length - 2 === 60);
  });

  it('because its handler blocked the process, stops after that event', async () => {
    const blocked = await spawnConsumer(1, 'block');
    const ours: number[] = [];
    await redis.consumer((event) => void ours.push(event.position), {});
    const publisher = await redis.publisher();
    const call = 'c_1';
    await publishAll(
      publisher,
      upTo(6).map((i) => speech(call, i)),
    );
    await until(() => blocked.lines.includes('error batch_lost') || ours.includes(5));
    if (positionsOf(blocked).length === 0) return expect(ours).toEqual(upTo(6));
    await until(() => ours.includes(5) && blocked.lines.includes('error batch_lost'));
    expect(positionsOf(blocked)).toEqual([0, 1]);
    // The event at hand comes again, unless it was done just before the other took over.
    expect(ours.filter((position) => position !== 1)).toEqual([2, 3, 4, 5]);
  });

  it('because Redis was away, is told, and stops after the event at hand', async () => {
    // What it has answered is on disk, however slow that is: what it then lost would be ours.
    await redis.raw.config('SET', 'appendfsync', 'always');
    const got: string[] = [];
    const errors: unknown[] = [];
    let goOn = () => {};
    let aborted: AbortSignal | undefined;
    const handlerOf =
      (name: string) => async (event: { position: number }, context: { signal: AbortSignal }) => {
        got.push(`${name}${event.position}`);
        if (event.position !== 1 || aborted !== undefined) return;
        aborted = context.signal;
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });
      };
    const onError = (error: unknown) => errors.push(error);
    await redis.consumer(handlerOf(''), { onError });
    const publisher = await redis.publisher();
    await publishAll(
      publisher,
      upTo(5).map((i) => speech('c_1', i)),
    );
    await until(() => aborted !== undefined);
    await redis.server.kill();
    await until(() => aborted?.aborted === true);
    goOn();
    await redis.server.restart();
    await until(() => got.includes('4'));
    // The event at hand was done, and known to be done when the batch came again.
    expect(got).toEqual(['0', '1', '2', '3', '4']);
    expect(errors).toContainEqual(expect.objectContaining({ code: 'batch_lost' }));
  });
});
