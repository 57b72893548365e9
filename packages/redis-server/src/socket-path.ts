import { createHash } from 'node:crypto';
import { lstat, mkdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { CodedError } from '@earshot/async';

/** `sun_path` of unix(7) holds 108 bytes, the closing zero included. */
const MAX_SOCKET_PATH_BYTES = 107;

/**
 * Where the server of `dataDir` listens: inside it, or, since a unix socket's path is short, in
 * a private folder below the system's temporary one, always the same for the same `dataDir`.
 */
export async function socketPathFor(
  dataDir: string,
  tmpDir: string = os.tmpdir(),
): Promise<string> {
  const inside = path.join(dataDir, 'redis.sock');
  if (Buffer.byteLength(inside) <= MAX_SOCKET_PATH_BYTES) return inside;
  const digest = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  for (const base of new Set([tmpDir, '/tmp'])) {
    const short = path.join(base, `earshot-${digest}`, 'redis.sock');
    if (Buffer.byteLength(short) > MAX_SOCKET_PATH_BYTES) continue;
    await makePrivateFolder(path.dirname(short));
    return short;
  }
  throw new CodedError(
    'redis_not_startable',
    `Cannot start Redis: the path of its socket must have at most ${MAX_SOCKET_PATH_BYTES} bytes, got ${inside}`,
    { fix: 'Choose a data folder with a shorter path.' },
  );
}

/** Removes the folder that `socketPathFor` made, if it made one; the server must have ended. */
export async function removeSocketFolder(socketPath: string, dataDir: string): Promise<void> {
  const folder = path.dirname(socketPath);
  if (folder !== dataDir) await rm(folder, { recursive: true, force: true });
}

async function makePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = await lstat(folder);
  const isMine = process.getuid === undefined || uid === process.getuid();
  if (isMine && (mode & 0o077) === 0) return;
  throw new CodedError(
    'redis_not_startable',
    `Cannot start Redis: the folder of its socket must be private to this user, got ${folder}`,
    { fix: `Remove ${folder}, or choose a data folder with a shorter path.` },
  );
}
