// @ts-check
// Makes a clone ready to run: installs the locked dependencies and builds, each only when
// needed. Progress goes to stderr, so that stdout stays the program's own.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** pnpm 11 and later need a newer Node than the oldest one supported here. */
const PNPM = 'pnpm@10.34.9';
const OLDEST_NODE_MAJOR = 20;
const STAMP = path.join(ROOT, 'node_modules', '.earshot-setup');
const LOCK = path.join(ROOT, '.cache', 'setup.lock');
const LOCK_WAIT_MS = 15 * 60_000;

/** Installs and builds what is missing or out of date. */
export function setUp() {
  requireNode();
  withLock(() => {
    installIfChanged();
    build();
  });
}

/** @param {string} text */
export function say(text) {
  process.stderr.write(`earshot: ${text}\n`);
}

/**
 * Ends the process with one clear line.
 * @param {string} code
 * @param {string} text
 * @returns {never}
 */
export function fail(code, text) {
  say(`${text} [${code}]`);
  process.exit(1);
}

/**
 * Runs a program with its output on stderr.
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {number} its exit code
 */
export function run(command, args) {
  const result = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (result.error) say(`cannot run ${command}: ${result.error.message}`);
  return result.status ?? 1;
}

/** @param {string} name a program of the workspace's development dependencies */
export function localBin(name) {
  return path.join(ROOT, 'node_modules', '.bin', name);
}

function requireNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < OLDEST_NODE_MAJOR) {
    fail(
      'node_too_old',
      `Cannot set up: Node ${OLDEST_NODE_MAJOR} or newer is needed, got ${process.versions.node}`,
    );
  }
}

function installIfChanged() {
  const wanted = installFingerprint();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return;
  say('installing dependencies (once, about half a minute)');
  const status = run('npx', [
    '--yes',
    PNPM,
    'install',
    '--frozen-lockfile',
    '--reporter=append-only',
  ]);
  if (status !== 0) {
    fail(
      'install_failed',
      `Cannot install: ${PNPM} must exit 0, got ${status}; is npm's registry reachable?`,
    );
  }
  writeFileSync(STAMP, wanted);
}

function build() {
  const first = !existsSync(path.join(ROOT, 'services', 'cli', 'dist', 'main.js'));
  say(first ? 'building (once, some seconds)' : 'checking the build');
  const status = run(localBin('tsc'), ['-b']);
  if (status !== 0) fail('build_failed', `Cannot build: tsc must exit 0, got ${status}`);
}

/** What decides whether node_modules is up to date: the lock file and every manifest. */
function installFingerprint() {
  const hash = createHash('sha256').update(process.versions.modules);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests()]) {
    hash.update(file).update(readFileSync(path.join(ROOT, file)));
  }
  return hash.digest('hex');
}

function manifests() {
  const found = ['package.json'];
  for (const group of ['packages', 'services', 'test']) {
    for (const name of readdirSync(path.join(ROOT, group)).sort()) {
      const manifest = path.join(group, name, 'package.json');
      if (existsSync(path.join(ROOT, manifest))) found.push(manifest);
    }
  }
  return found;
}

/**
 * Two commands started side by side must not install into each other.
 * @param {() => void} work
 */
function withLock(work) {
  mkdirSync(path.dirname(LOCK), { recursive: true });
  let waiting = false;
  const untilMs = performance.now() + LOCK_WAIT_MS;
  while (!tryLock()) {
    if (performance.now() > untilMs) {
      const minutes = LOCK_WAIT_MS / 60_000;
      fail('setup_locked', `Cannot set up: ${LOCK} must be free within ${minutes} minutes`);
    }
    if (!waiting) say('waiting for another set-up in this folder to finish');
    waiting = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
  }
  const unlock = () => rmSync(LOCK, { force: true });
  process.once('exit', unlock);
  try {
    work();
  } finally {
    unlock();
    process.removeListener('exit', unlock);
  }
}

function tryLock() {
  try {
    writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error;
    if (!isHolderAlive()) rmSync(LOCK, { force: true });
    return false;
  }
}

function isHolderAlive() {
  try {
    const pid = Number(readFileSync(LOCK, 'utf8'));
    // The holder may be between creating the file and writing its id into it.
    if (!Number.isInteger(pid) || pid <= 0) return true;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  setUp();
  say('ready');
}
