// @ts-check
// A consumer in a process of its own, which tells each event on stdout as it is handed to it.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { systemClock } from '../../async/dist/system.js';
import { EventConsumer } from '../dist/index.js';

const [redisUrl = '', at, does] = process.argv.slice(2);
const log = new Redis(redisUrl);
const input = createInterface({ input: process.stdin });
const consumer = new EventConsumer({
  redisUrl,
  clock: systemClock,
  handler: async (event, { signal }) => {
    // One list for all consumers tells in which order things really happened.
    if (does === 'log') return void (await log.rpush('log', event.id));
    tell('event', event.callId, event.position);
    if (event.position !== Number(at)) return;
    if (does === 'die') process.kill(process.pid, 'SIGKILL');
    if (does === 'block') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6_000);
    if (does === 'hang') await new Promise((resolve) => input.once('line', resolve));
    tell('done', signal.aborted);
  },
  onError: (error) => tell('error', error instanceof Error && 'code' in error ? error.code : error),
});
await consumer.start();
tell('started');

/** @param {...unknown} words */
function tell(...words) {
  writeSync(1, `${words.join(' ')}\n`);
}
