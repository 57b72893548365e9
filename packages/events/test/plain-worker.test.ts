import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { publishAll, speech, until, useRedis } from './support.js';

const redis = useRedis();
const PARTITIONS = 8;

// Nothing of this package is used to consume here: only BullMQ, and what docs/events.md says.
describe('a plain BullMQ worker', () => {
  it('consumes the queues of a subscription of its own, in order per call', async () => {
    const connection = new Redis(redis.server.url, { maxRetriesPerRequest: null });
    onTestFinished(() => connection.disconnect());
    const ajv = new Ajv2020();
    addFormats.default(ajv);
    ajv.addSchema(
      JSON.parse(readFileSync(new URL('../schema/events.schema.json', import.meta.url), 'utf8')),
    );

    const seen = new Set<string>();
    const got: { callId: string; position: number }[] = [];
    const invalid: string[] = [];
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const prefix = `earshot:{events-${partition}}`;
      await connection.sadd(`${prefix}:subscriptions`, 'warehouse');
      const queue = new Queue(`events-warehouse-${partition}`, { connection, prefix });
      onTestFinished(() => queue.close());
      await queue.setGlobalConcurrency(1);
      const worker = new Worker(
        `events-warehouse-${partition}`,
        async (job) => {
          if (!ajv.validate('urn:earshot:events:1#/$defs/job', job.data)) {
            invalid.push(ajv.errorsText());
          }
          expect(job.name).toBe('events');
          for (const event of job.data.events) {
            if (seen.has(event.id)) continue;
            seen.add(event.id);
            got.push(event);
          }
        },
        { connection, prefix, concurrency: 1 },
      );
      onTestFinished(() => worker.close());
      await worker.waitUntilReady();
    }

    const calls = Array.from({ length: 20 }, (_, i) => `c_${i}`);
    const publisher = await redis.publisher({ maxBatch: 10 });
    const positions = Array.from({ length: 30 }, (_, i) => i);
    await publishAll(
      publisher,
      positions.flatMap((position) => calls.map((callId) => speech(callId, position))),
    );
    await until(() => got.length >= 600);
    expect(invalid).toEqual([]);
    for (const callId of calls) {
      expect(got.filter((event) => event.callId === callId).map((e) => e.position)).toEqual(
        positions,
      );
    }
  });
});
