import { openSync, writeSync } from 'node:fs';
import process from 'node:process';
import { setImmediate as nextTurn } from 'node:timers/promises';
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
  handler: async ({ id, callId, position }, { signal }) => {
    await delay(systemClock, Number(HANDLING_MS));
    // Who stood still for longer than its lock lasts is told so by a timer that is due by now: another
    // may be further, and nothing may be written behind it.
    await nextTurn();
    signal.throwIfAborted();
    writeSync(file, `${JSON.stringify({ consumer: CONSUMER, id, callId, position })}\n`);
  },
});
await consumer.start();
process.send?.({ type: 'ready' });
