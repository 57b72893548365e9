import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, exists } from '../cache-folder.js';
import { say } from '../progress.js';

const run = promisify(execFile);
const APT_TIMEOUT_MS = 180_000;
const MOST_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * Debian packages with what they need, unpacked into the cache folder: downloaded on first use,
 * nothing is installed, no rights are needed.
 *
 * @returns where they were unpacked to, laid out as `/` is.
 * @throws Error when they can't be had, such as offline.
 */
export async function debianPackages(names: readonly string[]): Promise<string> {
  const cache = cacheFolder();
  const root = path.join(cache, `bench-${names.join('+')}-${os.arch()}`);
  if (await exists(root)) return root;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(path.join(cache, '.bench-'));
  try {
    say(`downloading ${names.join(', ')} from the Debian archive (once)`);
    await apt(['-q', 'download', ...(await withDependencies(names))], work);
    const unpacked = path.join(work, 'root');
    for (const file of await readdir(work)) {
      if (file.endsWith('.deb')) await run('dpkg-deb', ['-x', path.join(work, file), unpacked]);
    }
    // Another run may have been faster: then what is there is as good.
    await rename(unpacked, root).catch(async (error: unknown) => {
      if (!(await exists(root))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return root;
}

/** The folders that unpacked libraries lie in, at any depth, for `LD_LIBRARY_PATH`. */
export async function libraryFolders(root: string): Promise<string[]> {
  const lib = path.join(root, 'usr', 'lib');
  const files = await readdir(lib, { recursive: true }).catch(() => []);
  const libraries = files.filter((file) => /\.so(?:\.|$)/.test(file));
  return [...new Set(libraries.map((file) => path.join(lib, path.dirname(file))))];
}

/** The packages and what they need that this machine lacks, by a trial run of an installation. */
async function withDependencies(names: readonly string[]): Promise<readonly string[]> {
  const args = ['-q', '--simulate', '--no-install-recommends', 'install', ...names];
  const output = await apt(args, os.tmpdir()).catch(() => '');
  const found = [...output.matchAll(/^Inst (\S+)/gm)].flatMap((match) => match[1] ?? []);
  return [...new Set([...names, ...found])];
}

async function apt(args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await run('apt-get', args, {
    cwd,
    timeout: APT_TIMEOUT_MS,
    maxBuffer: MOST_OUTPUT_BYTES,
  });
  return stdout;
}
