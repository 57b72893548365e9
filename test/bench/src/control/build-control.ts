import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CodedError } from '@earshot/async';
import { say } from '../progress.js';

const SOURCE = fileURLToPath(new URL('../../control/control.c', import.meta.url));
const CACHE = fileURLToPath(new URL('../../../../.cache/bench/', import.meta.url));
const HEADERS = path.join(
  path.dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')),
  'include',
);
const PACKAGES = ['gcc', 'libc6-dev', 'libopus-dev'];
const FLAGS = ['-O2', '-Wall', '-Wextra', '-fPIC', '-shared'];

/**
 * Compiles the control against the system's libopus, once for each version of its source.
 *
 * @returns the file for `loadControl`
 * @throws CodedError `bench_needs_libopus` when there is no gcc or no `opus/opus.h`, and root with
 * apt-get is not there to install them; `control_build_failed`
 */
export function buildControl(): string {
  const hash = createHash('sha256').update(readFileSync(SOURCE)).update(FLAGS.join(' '));
  const file = path.join(CACHE, `control-${hash.digest('hex').slice(0, 16)}.node`);
  if (existsSync(file)) return file;
  if (!canCompile()) installLibopus();
  mkdirSync(CACHE, { recursive: true });
  // Two runs side by side: each builds its own, and the last one stays.
  const unfinished = `${file}.${process.pid}`;
  const args = [...FLAGS, '-isystem', HEADERS, SOURCE, '-lopus', '-o', unfinished];
  const { status, stderr } = spawnSync('gcc', args, { encoding: 'utf8' });
  if (status !== 0) {
    throw new CodedError(
      'control_build_failed',
      `Cannot build the C control: gcc must exit 0, got ${status}: ${firstError(stderr)}`,
    );
  }
  renameSync(unfinished, file);
  return file;
}

function canCompile(): boolean {
  const input = '#include <opus/opus.h>\n';
  return spawnSync('gcc', ['-E', '-x', 'c', '-'], { input, stdio: 'pipe' }).status === 0;
}

function installLibopus(): void {
  const isRoot = process.getuid?.() === 0;
  if (isRoot && spawnSync('apt-get', ['--version']).status === 0) {
    say(`the C control needs ${PACKAGES.join(', ')}: installing them with apt-get`);
    const apt = (...args: string[]): number | null =>
      spawnSync('apt-get', ['-qq', '-y', ...args], { stdio: ['ignore', 2, 2] }).status;
    if (apt('install', '--no-install-recommends', ...PACKAGES) !== 0) {
      apt('update');
      apt('install', '--no-install-recommends', ...PACKAGES);
    }
    if (canCompile()) return;
  }
  throw new CodedError(
    'bench_needs_libopus',
    `Cannot run the bench: gcc and the headers of libopus must be installed (Debian: apt-get install ${PACKAGES.join(' ')})`,
  );
}

function firstError(output: string): string {
  const lines = output.split('\n');
  return lines.find((line) => line.includes('error')) ?? lines[0] ?? '';
}
