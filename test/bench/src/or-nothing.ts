import { say } from './progress.js';

/** What `get` gives, or nothing where it can't be had: that is said, and `what` added to `missing`. */
export async function orNothing<T>(
  get: () => Promise<readonly T[]>,
  what: string,
  missing: string[],
): Promise<readonly T[]> {
  try {
    return await get();
  } catch (error) {
    say(`without ${what}: ${error instanceof Error ? error.message : String(error)}`);
    missing.push(what);
    return [];
  }
}
