// Writes checkpoints as fast as it can until told to stop: all numbers of each are the same.
import { parentPort, workerData } from 'node:worker_threads';
import { SharedCheckpoint } from '../dist/shared-checkpoint.js';
import { CHECKPOINT_NUMBERS } from '../dist/stream-checkpoint.js';

const shared = new SharedCheckpoint(workerData.shared, 0);
const stop = new Int32Array(workerData.stop);
const numbers = new Float64Array(CHECKPOINT_NUMBERS);

let written = 0;
parentPort?.postMessage('ready');
while (Atomics.load(stop, 0) === 0) {
  written += 1;
  shared.write(numbers.fill(written));
}
parentPort?.postMessage(written);
