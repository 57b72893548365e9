/**
 * The record with one entry set and made the newest; the oldest are let go beyond `capacity`.
 * Keys that look like integers would sort first, so ids of that form are not aged well.
 */
export function withNewest<T>(
  record: Readonly<Record<string, T>>,
  key: string,
  value: T,
  capacity: number,
): Readonly<Record<string, T>> {
  const entries = Object.entries(record).filter(([other]) => other !== key);
  entries.push([key, value]);
  return Object.fromEntries(entries.slice(-capacity));
}
