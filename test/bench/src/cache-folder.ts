import { access } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

/** Where what was downloaded lies: `EARSHOT_CACHE`, or a folder of the user's cache. */
export function cacheFolder(): string {
  const named = process.env['EARSHOT_CACHE'];
  if (named !== undefined && named !== '') return path.resolve(named);
  const base = process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache');
  return path.join(base, 'earshot');
}

export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
