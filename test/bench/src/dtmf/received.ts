import type { Cell } from './cell.js';

/** What Opus delays sound by: its encoder looks ahead. */
const OPUS_DELAY_MS = 6.5;
const FRAME_MS = 20;

/** So much of a tone must have come, spoiled or not, that it may be told from a click. */
export const LEAST_RECEIVED_MS = 15;

/**
 * The ceiling: digits of which so much came, though packets were lost. Of the others no detector can
 * know.
 */
export function receivedDigitsOf({ endsMs, toneMs }: Cell, isLost: readonly boolean[]): number {
  return endsMs.filter((endMs) => {
    const toMs = endMs + OPUS_DELAY_MS;
    return receivedMs(toMs - toneMs, toMs, isLost) >= LEAST_RECEIVED_MS;
  }).length;
}

function receivedMs(fromMs: number, toMs: number, isLost: readonly boolean[]): number {
  return isLost.reduce((sum, lost, n) => {
    const overlapMs = Math.min(toMs, (n + 1) * FRAME_MS) - Math.max(fromMs, n * FRAME_MS);
    return lost ? sum : sum + Math.max(0, overlapMs);
  }, 0);
}
