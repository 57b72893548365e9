import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CodedError } from '@earshot/async';
import { z } from 'zod';

/** The checkout that this command belongs to. */
export const REPOSITORY: string = path.resolve(
  path.dirname(fileURLToPath(import.meta.url)),
  '../../..',
);

/** Where a running `earshot start` can be reached. */
export interface RunInfo {
  readonly pid: number;
  /** ISO time. */
  readonly startedAt: string;
  readonly signalingUrl: string;
  readonly apiKey: string;
  readonly redisUrl: string;
  readonly workerUrl: string;
  readonly sandboxUrl: string;
  /** Of the sandbox meeting that the run joined. */
  readonly joinUrl: string;
}

const runInfoSchema: z.ZodType<RunInfo> = z.object({
  pid: z.number().int(),
  startedAt: z.string(),
  signalingUrl: z.string(),
  apiKey: z.string(),
  redisUrl: z.string(),
  workerUrl: z.string(),
  sandboxUrl: z.string(),
  joinUrl: z.string(),
});

/** Redis's data, below the folder of a run. */
export const REDIS_FOLDER = 'redis';

/** The private folder of one run: its Redis, its logs, and how to reach it. */
export class RunFolder {
  readonly path: string;

  private constructor(folder: string) {
    this.path = folder;
  }

  /**
   * Makes a fresh folder below `EARSHOT_DATA_DIR`, by default `.data` of the checkout.
   *
   * @throws CodedError `data_folder_unwritable`
   */
  static create(pid: number, startedAt: Date): RunFolder {
    const name = `${startedAt.toISOString().replace(/[:.]/g, '-')}-${pid}`;
    const folder = path.join(runsFolder(), name);
    try {
      mkdirSync(path.join(folder, 'logs'), { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw unwritable(cause);
    }
    return new RunFolder(folder);
  }

  get redisFolder(): string {
    return path.join(this.path, REDIS_FOLDER);
  }

  logFile(service: string): string {
    return path.join(this.path, 'logs', `${service}.log`);
  }

  /** Tells other commands how to reach this run. The file holds a key: only its owner reads it. */
  announce(info: RunInfo): void {
    writeFileSync(path.join(this.path, 'run.json'), JSON.stringify(info), { mode: 0o600 });
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** The newest run of this checkout whose process is still alive. */
export function newestRun(): RunInfo | undefined {
  return readRunFiles()
    .filter((info) => isAlive(info.pid))
    .sort((a, b) => b.startedAt.localeCompare(a.startedAt))[0];
}

function readRunFiles(): RunInfo[] {
  return runNames().flatMap((name) => {
    try {
      const text = readFileSync(path.join(runsFolder(), name, 'run.json'), 'utf8');
      return [runInfoSchema.parse(JSON.parse(text))];
    } catch {
      // A run that is still starting, or was killed while it wrote: not one to attach to.
      return [];
    }
  });
}

/** Folders of runs whose process is gone and that never cleaned up: it was killed. */
export function deadRunFolders(): string[] {
  return runNames()
    .filter((name) => !isAlive(Number(/-(\d+)$/.exec(name)?.[1])))
    .map((name) => path.join(runsFolder(), name));
}

function unwritable(cause: unknown): CodedError {
  const actual = cause instanceof Error ? cause.message : String(cause);
  return new CodedError(
    'data_folder_unwritable',
    `Cannot start: the data folder must be one that can be written, got ${actual}`,
    { cause, fix: 'Set EARSHOT_DATA_DIR to a folder of yours.' },
  );
}

function runNames(): string[] {
  try {
    return readdirSync(runsFolder());
  } catch {
    return [];
  }
}

function runsFolder(): string {
  return path.join(process.env['EARSHOT_DATA_DIR'] || path.join(REPOSITORY, '.data'), 'runs');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
