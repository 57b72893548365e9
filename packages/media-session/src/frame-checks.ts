import { CODEC, FLAG } from '@earshot/bridge-protocol';
import type { FrameSlot } from './frame-ring.js';
import { isOpusDtx } from './opus-dtx.js';
import { FRAME_SAMPLES } from './stream-pipeline-options.js';

/** Nothing was sent: the source says so, or its encoder's DTX does. */
export function isSilent(frame: FrameSlot): boolean {
  if (frame.codec === CODEC.silence || (frame.flags & FLAG.silence) !== 0) return true;
  return frame.codec === CODEC.opus && isOpusDtx(frame.payload, frame.length);
}

/** Of `frames` slots, those before one that lies so far from the first, on the circle. */
export function within(distance: number, frames: number): number {
  return Math.max(0, Math.min(distance | 0, frames));
}

/** @throws RangeError when the PCM is no frame's. */
export function checkPcm(pcm: Int16Array): void {
  if (pcm.length === FRAME_SAMPLES) return;
  throw new RangeError(
    `Cannot take a frame: its PCM must have ${FRAME_SAMPLES} samples, got ${pcm.length}`,
  );
}
