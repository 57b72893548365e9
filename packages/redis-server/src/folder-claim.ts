import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { CodedError } from '@earshot/async';
import { processIdentity } from './process-identity.js';

/** Folders claimed by this process: its own id in a claim file may be left from an earlier one. */
const claimed = new Set<string>();

/**
 * Makes this process the only one with a server in `dataDir`: two servers over one set of files
 * would destroy them. A claim whose process is gone is void.
 *
 * @returns gives the folder back; idempotent.
 * @throws CodedError `data_dir_in_use`.
 */
export async function claimFolder(dataDir: string): Promise<() => Promise<void>> {
  const file = path.join(dataDir, 'owner');
  if (claimed.has(file)) throw inUse(dataDir, process.pid);
  claimed.add(file);
  try {
    await writeClaim(file, dataDir);
  } catch (error) {
    claimed.delete(file);
    throw error;
  }
  return async () => {
    if (claimed.delete(file)) await rm(file, { force: true });
  };
}

async function writeClaim(file: string, dataDir: string): Promise<void> {
  const mine = processIdentity(process.pid);
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      await writeFile(file, mine, { flag: 'wx', mode: 0o600 });
      return;
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
    }
    const owner = await readFile(file, 'utf8').catch(() => '');
    const ownerPid = Number(owner.split(' ')[0]);
    if (owner !== mine && ownerPid > 0 && processIdentity(ownerPid) === owner) {
      throw inUse(dataDir, ownerPid);
    }
    await rm(file, { force: true });
  }
  throw inUse(dataDir, 0);
}

function inUse(dataDir: string, pid: number): CodedError {
  const by = pid === 0 ? 'another process' : `process ${pid}`;
  return new CodedError(
    'data_dir_in_use',
    `Cannot start Redis: a data folder must have one owner at a time, got ${dataDir} of ${by}`,
    { fix: 'Stop that process, or choose another data folder.' },
  );
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
