import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { FindOptions, Program } from './program.js';
import { runText } from './run-text.js';

type ProblemOf = (program: Program) => Promise<string | undefined>;

/** Debian's package with the multi-call program, and what its libraries were in Debian 12. */
const PACKAGE = 'redis-tools';
const USUAL_LIBRARIES = ['libatomic1', 'libjemalloc2', 'liblzf1'];
const APT_TIMEOUT_MS = 120_000;

/**
 * Debian's Redis out of the cache folder, downloaded on first use: 1.3 MB, nothing is installed
 * and nothing outside the cache folder changes. Starts side by side do no harm: each unpacks
 * apart, the first to rename wins, and only a program that ran is renamed.
 */
export async function downloadProgram(
  options: FindOptions,
  problemOf: ProblemOf,
): Promise<Program> {
  const cache = cacheFolder(options.env);
  const finished = path.join(cache, `redis-tools-${os.arch()}`);
  const cached = await unpackedProgram(finished, options.env);
  if (cached !== undefined && (await problemOf(cached)) === undefined) return cached;

  const suffix = randomBytes(6).toString('hex');
  const work = path.join(cache, `.redis-tools-${suffix}`);
  await mkdir(work, { recursive: true });
  try {
    options.onProgress('downloading Redis from the Debian archive (once, 1.3 MB)');
    await downloadPackages(work, options);
    const unpacked = path.join(work, 'root');
    await unpack(work, unpacked, options.env);
    const fresh = await unpackedProgram(unpacked, options.env);
    const problem = fresh === undefined ? 'lacks its program' : await problemOf(fresh);
    if (problem !== undefined) throw new Error(`the downloaded ${PACKAGE} ${problem}`);
    await moveInto(unpacked, finished, path.join(work, 'stale'), options.env, problemOf);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const program = await unpackedProgram(finished, options.env);
  if (program === undefined) throw new Error(`${finished} lacks the program`);
  return program;
}

function cacheFolder(env: NodeJS.ProcessEnv): string {
  const named = env['EARSHOT_CACHE'];
  if (named !== undefined && named !== '') return path.resolve(named);
  const base = env['XDG_CACHE_HOME'] || path.join(env['HOME'] || os.homedir(), '.cache');
  return path.join(base, 'earshot');
}

/** The program of an unpacked package, with the way to its libraries. */
async function unpackedProgram(root: string, env: NodeJS.ProcessEnv): Promise<Program | undefined> {
  const lib = path.join(root, 'usr', 'lib');
  const [programs, libraries] = await Promise.all([
    readdir(path.join(root, 'usr', 'bin')).catch(() => []),
    readdir(lib).catch(() => []),
  ]);
  const name = programs.find(
    (entry) => entry === 'redis-check-rdb' || entry === 'valkey-check-rdb',
  );
  if (name === undefined) return undefined;
  const folders = [lib, ...libraries.map((entry) => path.join(lib, entry))];
  const inherited = env['LD_LIBRARY_PATH'];
  if (inherited) folders.push(inherited);
  return {
    file: path.join(root, 'usr', 'bin', name),
    env: { ...env, LD_LIBRARY_PATH: folders.join(':') },
    source: 'apt-download',
  };
}

async function downloadPackages(work: string, { env, onProgress }: FindOptions): Promise<void> {
  const first = await aptDownload(work, env, []);
  if (first === undefined) return;
  // No lists on this machine, or old ones that name files no longer there: fetch our own.
  onProgress("fetching the Debian archive's list of packages (once)");
  const apart = privateLists(work);
  await Promise.all(
    ['state/lists/partial', 'cache/archives/partial'].map((folder) =>
      mkdir(path.join(work, folder), { recursive: true }),
    ),
  );
  const update = await runText('apt-get', [...apart, 'update'], { env, timeoutMs: APT_TIMEOUT_MS });
  const second =
    update.code === 0 ? await aptDownload(work, env, apart) : `apt-get update: ${update.lastLine}`;
  if (second !== undefined) throw new Error(`${first}; with fresh lists, ${second}`);
}

/** Options that keep apt's lists apart from the system's, so that no rights are needed. */
function privateLists(work: string): string[] {
  return [
    `Dir::State::Lists=${work}/state/lists`,
    `Dir::Cache=${work}/cache`,
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
}

/** Downloads the packages into `work`; the reason when that failed. */
async function aptDownload(
  work: string,
  env: NodeJS.ProcessEnv,
  lists: readonly string[],
): Promise<string | undefined> {
  const names = await missingPackages(env, lists);
  const result = await runText('apt-get', [...lists, '-q', 'download', ...names], {
    env,
    cwd: work,
    timeoutMs: APT_TIMEOUT_MS,
  });
  return result.code === 0 ? undefined : `apt-get download: ${result.lastLine}`;
}

/** The package and what it needs that this machine lacks, by a trial run of an installation. */
async function missingPackages(
  env: NodeJS.ProcessEnv,
  lists: readonly string[],
): Promise<readonly string[]> {
  const args = [...lists, '-q', '--simulate', '--no-install-recommends', 'install', PACKAGE];
  const { code, output } = await runText('apt-get', args, { env, timeoutMs: APT_TIMEOUT_MS });
  const names = [...output.matchAll(/^Inst (\S+)/gm)].flatMap((match) => match[1] ?? []);
  return code === 0 && names.includes(PACKAGE) ? names : [PACKAGE, ...USUAL_LIBRARIES];
}

async function unpack(work: string, root: string, env: NodeJS.ProcessEnv): Promise<void> {
  for (const name of await readdir(work)) {
    if (!name.endsWith('.deb')) continue;
    const { code, lastLine } = await runText('dpkg-deb', ['-x', path.join(work, name), root], {
      env,
    });
    if (code !== 0) throw new Error(`dpkg-deb -x ${name}: ${lastLine}`);
  }
}

/** Renames `from` to `to`; what is there already stays if it runs, and makes way if not. */
async function moveInto(
  from: string,
  to: string,
  stale: string,
  env: NodeJS.ProcessEnv,
  problemOf: ProblemOf,
): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const moved = await rename(from, to).then(
      () => true,
      () => false,
    );
    if (moved) return;
    const there = await unpackedProgram(to, env);
    if (there !== undefined && (await problemOf(there)) === undefined) return;
    await rename(to, `${stale}-${attempt}`).catch(() => {});
  }
  throw new Error(`${to} can't be written`);
}
