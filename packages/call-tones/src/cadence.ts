import type { ToneSegment } from './tone-segment.js';
import { SOUND } from './tone-sound.js';

/** Kinds that are known by their rhythm. */
export type CadencedKind = 'ringback' | 'busy' | 'reorder';

/** Tones of exchanges outside North America: 425 Hz, 400 in Britain, 440 and 450 elsewhere. */
export const EXCHANGE_LOW_HZ = 385;
export const EXCHANGE_HIGH_HZ = 465;

/** On-periods below are reorder's, from there on busy's: 250 and 500 ms; 200 and 375 elsewhere. */
const REORDER_BELOW_MS = 320;
const SHORTEST_MS = 140;
const LONGEST_BUSY_MS = 800;

/** How much two periods of one rhythm may differ, as a part of the longer. */
const UNEVENNESS = 0.3;

/** Whether a sound is one whose rhythm tells what it means. */
export function isCadenced(segment: ToneSegment): boolean {
  switch (segment.sound) {
    case SOUND.ringbackPair:
    case SOUND.busyPair:
    case SOUND.britishPair:
      return true;
    default:
      return segment.isSingle(EXCHANGE_LOW_HZ, EXCHANGE_HIGH_HZ);
  }
}

/** What two on-periods of the same sound, and the pause between, are part of. */
export function cadenceOf(before: ToneSegment, now: ToneSegment): CadencedKind | undefined {
  if (before.sound !== now.sound || !before.isOf(now.sound, now.hz)) return undefined;
  const offMs = now.startMs - before.endMs;
  switch (now.sound) {
    case SOUND.ringbackPair:
      return isRingback(before, offMs, now, 1200) ? 'ringback' : undefined;
    case SOUND.busyPair:
      return evenCadence(before, offMs, now);
    case SOUND.britishPair:
      return isBritishRingback(before, offMs, now) ? 'ringback' : undefined;
    default:
      if (isRingback(before, offMs, now, 500)) return 'ringback';
      return isBritishReorder(before, offMs, now) ? 'reorder' : evenCadence(before, offMs, now);
  }
}

/** 2 s in 6 in North America; 1 s in 5, and the like, elsewhere. */
function isRingback(
  before: ToneSegment,
  offMs: number,
  now: ToneSegment,
  leastOnMs: number,
): boolean {
  const isOn = before.lasted(leastOnMs, 2600) && now.lasted(leastOnMs, 2600);
  return isOn && offMs >= 2200 && offMs <= 5500 && isAlike(before.durationMs, now.durationMs);
}

/** As long on as off. */
function evenCadence(
  before: ToneSegment,
  offMs: number,
  now: ToneSegment,
): 'busy' | 'reorder' | undefined {
  const onMs = now.durationMs;
  const isEven = isAlike(before.durationMs, onMs) && isAlike(offMs, onMs);
  if (!isEven || !now.lasted(SHORTEST_MS, LONGEST_BUSY_MS)) return undefined;
  return onMs < REORDER_BELOW_MS ? 'reorder' : 'busy';
}

/** 0.4 s on, 0.2 off, 0.4 on, 2 off. */
function isBritishRingback(before: ToneSegment, offMs: number, now: ToneSegment): boolean {
  const isOn = before.lasted(320, 480) && now.lasted(320, 480);
  return isOn && (isAlike(offMs, 200) || isAlike(offMs, 2000));
}

/** 0.4 s on, 0.35 off, 0.225 on, 0.525 off. */
function isBritishReorder(before: ToneSegment, offMs: number, now: ToneSegment): boolean {
  if (before.lasted(340, 460) && now.lasted(180, 270)) return offMs >= 290 && offMs <= 410;
  return before.lasted(180, 270) && now.lasted(340, 460) && offMs >= 450 && offMs <= 600;
}

function isAlike(oneMs: number, otherMs: number): boolean {
  return Math.abs(oneMs - otherMs) <= UNEVENNESS * Math.max(oneMs, otherMs);
}
