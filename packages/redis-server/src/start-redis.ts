import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { CodedError } from '@earshot/async';
import { claimFolder } from './folder-claim.js';
import { findProgram } from './program.js';
import { serve } from './serve.js';
import { removeSocketFolder, socketPathFor } from './socket-path.js';
import { takeOver } from './take-over.js';

/** Where the running program came from; `running` is a server that outlived its starter. */
export type RedisSource = 'path' | 'redis-tools' | 'apt-download' | 'running';

export interface RedisOptions {
  /** Folder for the data, the log and (if its path is short enough) the socket; made if absent. */
  readonly dataDir: string;
  /** Keeps data across restarts, losing at most the last second. @defaultValue false */
  readonly persistent?: boolean;
  /** Called with one line of text for each slow step, such as a download. */
  readonly onProgress?: (line: string) => void;
  /** Names `PATH`, `EARSHOT_CACHE`, `XDG_CACHE_HOME` and `HOME`. @defaultValue process.env */
  readonly env?: NodeJS.ProcessEnv;
}

/** A running Redis, owned by whoever started it. */
export interface RedisServer {
  /** Absolute path of the unix socket. There is no TCP port. */
  readonly url: string;
  readonly source: RedisSource;
  readonly pid: number;
  /** Resolves when the server has ended, whether by `close` or by itself. Never rejects. */
  readonly exited: Promise<void>;
  /** Stops the server and waits for its end; idempotent. */
  close(): Promise<void>;
}

/**
 * Starts a Redis on a private unix socket, as a child that ends with this process. A server
 * left behind in the same folder by a killed process is taken over, with its data.
 *
 * @throws CodedError `redis_not_startable` when no program is found or it does not come up;
 * `data_dir_in_use` when another live process has a server in the same folder.
 */
export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  const { persistent = false, onProgress = () => {}, env = process.env } = options;
  const dataDir = path.resolve(options.dataDir);
  await makeFolder(dataDir);
  const release = await claimFolder(dataDir);
  try {
    const socketPath = await socketPathFor(dataDir);
    const server =
      (await takeOver(socketPath)) ??
      (await serve({
        program: await findProgram({ env, onProgress }),
        dataDir,
        socketPath,
        persistent,
      }));
    const released = server.exited
      .then(() => removeSocketFolder(socketPath, dataDir))
      .then(release);
    return { ...server, close: () => server.close().then(() => released) };
  } catch (error) {
    await release();
    throw error;
  }
}

async function makeFolder(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new CodedError(
      'redis_not_startable',
      `Cannot start Redis: its data folder must be writable, got ${dataDir}`,
      { cause, fix: 'Choose a folder that you may write to.' },
    );
  }
}
