// A decode thread that stands still the first time that its doorbell rings; its replacement works.
import { parentPort, workerData } from 'node:worker_threads';
import { SIGNAL } from '../dist/thread-messages.js';

const signals = new Int32Array(workerData.signals);
if (Atomics.load(signals, SIGNAL.turns) === 0) {
  Atomics.store(signals, SIGNAL.turns, 1);
  parentPort?.postMessage({ kind: 'ready', engine: { name: 'wasm', version: 'hangs' } });
  for (;;);
}
await import('../dist/decode-thread.js');
