import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, exists } from './cache-folder.js';
import { say } from './progress.js';

const run = promisify(execFile);
const NPM_TIMEOUT_MS = 300_000;

/**
 * Packages of the npm registry, unpacked into the cache folder without their scripts and without what they
 * depend on: downloaded on first use, never a part of the product.
 *
 * @param names with versions, `name@1.2.3`
 * @returns the folder in which they lie as in `node_modules`.
 * @throws Error when they can't be had, such as offline.
 */
export async function npmPackages(names: readonly string[]): Promise<string> {
  const cache = cacheFolder();
  const root = path.join(cache, `bench-npm-${names.map(fileName).join('+')}`);
  const modules = path.join(root, 'node_modules');
  if (await exists(root)) return modules;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(path.join(cache, '.bench-'));
  try {
    say(`downloading ${names.join(', ')} from the npm registry (once)`);
    for (const name of names) {
      const { stdout } = await run('npm', ['pack', '--silent', name], {
        cwd: work,
        timeout: NPM_TIMEOUT_MS,
      });
      const folder = path.join(work, 'root', 'node_modules', name.slice(0, name.lastIndexOf('@')));
      await mkdir(folder, { recursive: true });
      const archive = path.join(work, stdout.trim());
      await run('tar', ['-xzf', archive, '-C', folder, '--strip-components=1']);
    }
    // Another run may have been faster: then what is there is as good.
    await rename(path.join(work, 'root'), root).catch(async (error: unknown) => {
      if (!(await exists(root))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return modules;
}

/** Loads a CommonJS package of `npmPackages`. */
export function requireFrom(modules: string, name: string): unknown {
  return createRequire(path.join(modules, 'bench.cjs'))(name);
}

function fileName(name: string): string {
  return name.replace('/', '+');
}
