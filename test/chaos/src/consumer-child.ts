import { openSync, writeSync } from 'node:fs';
import process from 'node:process';
import { delay } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import { EventConsumer } from '@earshot/events';

/** A consumer as a process of its own, to be killed: writes down what it handled, line by line. */

const { REDIS_URL = '', HANDLED_FILE = '', CONSUMER = '', HANDLING_MS = '2' } = process.env;

/** Appended at once, and so in order over all processes; what is written outlives this one. */
const file = openSync(HANDLED_FILE, 'a');

const consumer = new EventConsumer({
  redisUrl: REDIS_URL,
  clock: systemClock,
  handler: async ({ id, callId, position }) => {
    await delay(systemClock, Number(HANDLING_MS));
    writeSync(file, `${JSON.stringify({ consumer: CONSUMER, id, callId, position })}\n`);
  },
});
await consumer.start();
process.send?.({ type: 'ready' });
