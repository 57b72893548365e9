// Entry of a decode thread: decodes and listens until told to stop. Its event loop is not used
// after the start: the thread sleeps on the doorbell, so that a frame wakes it in microseconds.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { SESSION_SAMPLE_RATE_HZ } from '@earshot/media-session';
import { createOpusEngine } from '@earshot/opus';
import { DecodeLoop } from './decode-loop.js';
import type { ThreadCommand, ThreadReport, ThreadSetup } from './thread-messages.js';
import { SIGNAL } from './thread-messages.js';

/** Sleeps no longer than this: a doorbell lost to a bug costs a moment, not a call. */
const MAX_SLEEP_MS = 1000;

const setup: ThreadSetup = workerData;
const port = parentPort ?? fail('this file must run as a worker thread');
const signals = new Int32Array(setup.signals);

const engine = await createOpusEngine();
const loop = new DecodeLoop({
  decoders: engine.createDecoderPool({
    sampleRateHz: SESSION_SAMPLE_RATE_HZ,
    channels: 1,
    capacity: setup.capacity,
  }),
  post,
});

post({ kind: 'ready' });
while (work()) {
  Atomics.wait(signals, SIGNAL.doorbell, Atomics.load(signals, SIGNAL.answered), MAX_SLEEP_MS);
}
port.close();

/** Does all there is to do; false when told to stop. */
function work(): boolean {
  const startedMs = performance.now();
  let worked = true;
  while (worked) {
    // Noted before looking: a ring while at work then cuts the next sleep short.
    Atomics.store(signals, SIGNAL.answered, Atomics.load(signals, SIGNAL.doorbell));
    if (!takeCommands()) return false;
    worked = loop.turn();
    Atomics.add(signals, SIGNAL.turns, 1);
  }
  Atomics.add(signals, SIGNAL.busyMicros, Math.round((performance.now() - startedMs) * 1000));
  return true;
}

/** False when told to stop. */
function takeCommands(): boolean {
  for (;;) {
    const received: { message: ThreadCommand } | undefined = receiveMessageOnPort(port);
    if (received === undefined) return true;
    if (received.message.kind === 'stop') return false;
    loop.open(received.message);
  }
}

function post(report: ThreadReport): void {
  port.postMessage(report);
}

function fail(reason: string): never {
  throw new Error(`Cannot decode: ${reason}`);
}
