/**
 * Which numbers of roster deltas were seen: all up to `floor` are known, and those in `ahead`,
 * ranges of numbers that others are missing before. Plain JSON.
 */
export interface RosterNumbers {
  readonly floor?: number;
  /** Ascending, first and last of each; bounded. */
  readonly ahead: readonly (readonly [first: number, last: number])[];
}

/** More holes than this are one: the list must be read again in any case. */
const MAX_RANGES = 32;

/** No delta was seen. */
export const NO_NUMBERS: RosterNumbers = { ahead: [] };

/** Whether a delta brings nothing new: all up to there is known. */
export function isKnownNumber({ floor }: RosterNumbers, number: number): boolean {
  return floor !== undefined && number <= floor;
}

/** A delta was seen. */
export function withNumber({ floor, ahead }: RosterNumbers, number: number): RosterNumbers {
  return settled(floor, [...ahead, [number, number]]);
}

/** A whole roster was seen, in which all up to `position` is contained. */
export function withFloor({ floor, ahead }: RosterNumbers, position: number): RosterNumbers {
  return settled(Math.max(floor ?? position, position), ahead);
}

/** Whether a delta is missing before one that was seen. */
export function hasHole({ floor, ahead }: RosterNumbers): boolean {
  return ahead.length > (floor === undefined ? 1 : 0);
}

function settled(
  floor: number | undefined,
  ranges: readonly (readonly [number, number])[],
): RosterNumbers {
  const ahead: [number, number][] = [];
  let known = floor;
  for (const [first, last] of [...ranges].sort(([a], [b]) => a - b)) {
    const before = ahead.at(-1);
    if (known !== undefined && first <= known + 1) known = Math.max(known, last);
    else if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else ahead.push([first, last]);
  }
  while (ahead.length > MAX_RANGES) ahead.splice(0, 2, [ahead[0]?.[0] ?? 0, ahead[1]?.[1] ?? 0]);
  return { ...(known === undefined ? {} : { floor: known }), ahead };
}
