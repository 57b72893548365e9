import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { CodedError } from '@earshot/async';
import { downloadProgram } from './apt-download.js';
import { runText } from './run-text.js';
import type { RedisSource } from './start-redis.js';

/** A program that runs as a Redis server when started with `redis-server` as its own name. */
export interface Program {
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
  readonly source: Exclude<RedisSource, 'running'>;
}

export interface FindOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly onProgress: (line: string) => void;
}

/** BullMQ asks for 6.2 or newer. */
const OLDEST_VERSION: readonly [number, number] = [6, 2];

/**
 * Programs by name, in the order of trying. The checkers of Debian's `redis-tools` are the
 * server under another name: which one it is, it reads from `argv[0]`.
 */
const NAMES = [
  ['redis-server', 'path'],
  ['valkey-server', 'path'],
  ['redis-check-rdb', 'redis-tools'],
  ['valkey-check-rdb', 'redis-tools'],
] as const;

/**
 * Finds a server on this machine, or downloads Debian's into a cache folder, installing nothing.
 *
 * @throws CodedError `redis_not_startable`, with everything that was tried.
 */
export async function findProgram(options: FindOptions): Promise<Program> {
  const tried: string[] = [];
  for (const [name, source] of NAMES) {
    const file = await findOnPath(name, options.env['PATH']);
    if (file === undefined) {
      tried.push(`no ${name} on PATH`);
      continue;
    }
    const program: Program = { file, env: options.env, source };
    const problem = await problemOf(program);
    if (problem === undefined) return program;
    tried.push(`${file} ${problem}`);
  }
  try {
    return await downloadProgram(options, problemOf);
  } catch (error) {
    tried.push(`the download failed: ${error instanceof Error ? error.message : String(error)}`);
    throw new CodedError(
      'redis_not_startable',
      `Cannot start Redis: a server program must be found or downloaded, got none (${tried.join('; ')})`,
      {
        cause: error,
        fix: 'Install Redis 6.2 or newer (Debian, Ubuntu: apt-get install redis-server), or set REDIS_URL to a running one.',
      },
    );
  }
}

/** Why the program can't be used; undefined when it can. */
async function problemOf(program: Program): Promise<string | undefined> {
  const result = await runText(program.file, ['--version'], {
    env: program.env,
    argv0: 'redis-server',
  });
  if (result.code !== 0) return `does not run (${result.lastLine})`;
  const version = /\bserver v=(\d+)\.(\d+)/.exec(result.output);
  if (version === null) return 'is no server';
  const [major, minor] = [Number(version[1]), Number(version[2])];
  const [oldestMajor, oldestMinor] = OLDEST_VERSION;
  const isNewEnough = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  return isNewEnough ? undefined : `is too old (${major}.${minor})`;
}

async function findOnPath(name: string, searchPath = ''): Promise<string | undefined> {
  for (const folder of searchPath.split(path.delimiter)) {
    if (!path.isAbsolute(folder)) continue;
    const file = path.join(folder, name);
    try {
      await access(file, constants.X_OK);
      return file;
    } catch {
      // Not here.
    }
  }
  return undefined;
}
