import type { PcmRing } from '@earshot/media-session';
import { CLOSE_MODE, PCM_RECORD } from '@earshot/media-session';

/** Frames from which somebody speaks, and then until when; the second is cut, as it is too long. */
const SPOKEN: readonly (readonly [number, number])[] = [
  [50, 110],
  [160, 400],
  [460, 490],
];
/** Puts into a ring what a decode thread would of somebody who speaks three times, and closes it. */
export function speak(ring: PcmRing, frames: number): void {
  for (let frame = 0; frame < frames; frame += 1) {
    const spoken = SPOKEN.find(([from, to]) => frame >= from && frame < to + 20);
    if (frame - 3 === spoken?.[0]) ring.note(PCM_RECORD.speechStarted, spoken[0] * 20, 0, frame);
    if (frame === (spoken?.[1] ?? 0) + 15) {
      ring.note(PCM_RECORD.speechEnded, frame * 20 - 300, 0, frame);
    }
    const isSpoken = spoken !== undefined && frame < spoken[1];
    ring.timeMs[0] = frame * 20;
    if (isSpoken) ring.sound(frame + 1, new Int16Array(320).fill(1000));
    else ring.note(PCM_RECORD.silence, frame * 20, 20, frame + 1);
  }
  ring.note(PCM_RECORD.closed, frames * 20, CLOSE_MODE.end, frames);
}
