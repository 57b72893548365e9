// The reader's side of a ring, on a thread of its own: checks every record and reports at the end.
import { parentPort, workerData } from 'node:worker_threads';
import { CLOSE_MODE, FrameRing, FrameSlot } from '../dist/frame-ring.js';

const ring = new FrameRing(workerData);
const slot = new FrameSlot();
const result = { popped: 0, dropped: 0, torn: 0, disordered: 0, lastSequence: -1 };

parentPort?.postMessage('ready');
for (let closed = false; ; ) {
  if (ring.pop(slot)) {
    check();
    continue;
  }
  if (closed) break;
  closed = ring.closeMode !== CLOSE_MODE.open;
}
parentPort?.postMessage(result);

function check() {
  result.popped += 1;
  result.dropped += slot.droppedBefore;
  if (slot.sequence !== result.lastSequence + 1 + slot.droppedBefore) result.disordered += 1;
  if (slot.mediaTimeMs !== slot.sequence || slot.length !== 33 + (slot.sequence & 63)) {
    result.torn += 1;
  }
  const expected = slot.sequence & 0xff;
  for (let i = 0; i < slot.length; i += 1) {
    if (slot.payload[i] === expected) continue;
    result.torn += 1;
    break;
  }
  result.lastSequence = slot.sequence;
}
