import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { findProgram } from '../src/program.js';
import { program, temporaryFolder } from './support.js';

const VERSION_LINE = 'Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0';
const SYSTEM = '/usr/bin:/bin';

/** A machine of its own: a PATH with only what a test puts there, and an empty cache. */
function machine() {
  const bin = temporaryFolder();
  const cache = temporaryFolder();
  const lines: string[] = [];
  const find = () =>
    findProgram({
      env: { PATH: bin, EARSHOT_CACHE: cache },
      onProgress: (line) => lines.push(line),
    });
  return { bin, cache, lines, find };
}

/** A stand-in for the Debian archive: `apt-get` and `dpkg-deb` that make a tiny package. */
async function addArchive(bin: string, { needsUpdate = false } = {}): Promise<string> {
  const log = path.join(bin, 'apt.log');
  await program(bin, 'apt-get', [
    `PATH=${SYSTEM}`,
    `echo "$@" >> ${log}`,
    'case "$*" in',
    `  *update*) touch ${bin}/updated ;;`,
    '  *--simulate*) echo "Inst liblzf1 (3.6-3)"; echo "Inst redis-tools (5:7.0.15)" ;;',
    needsUpdate
      ? `  *download*) [ -e ${bin}/updated ] || { echo "E: Unable to locate package" >&2; exit 100; }; touch redis-tools.deb ;;`
      : '  *download*) touch redis-tools.deb ;;',
    'esac',
  ]);
  await program(bin, 'dpkg-deb', [
    `PATH=${SYSTEM}`,
    'mkdir -p "$3/usr/bin" "$3/usr/lib/x86_64-linux-gnu"',
    `printf '#!/bin/sh\\necho "${VERSION_LINE}"\\n' > "$3/usr/bin/redis-check-rdb"`,
    'chmod 755 "$3/usr/bin/redis-check-rdb"',
  ]);
  return log;
}

describe('findProgram', () => {
  it('prefers a server on PATH to the checker that is one in disguise', async () => {
    const { bin, find } = machine();
    await program(bin, 'redis-check-rdb', [`echo "${VERSION_LINE}"`]);
    expect(await find()).toMatchObject({
      file: path.join(bin, 'redis-check-rdb'),
      source: 'redis-tools',
    });
    await program(bin, 'redis-server', [`echo "${VERSION_LINE}"`]);
    expect(await find()).toMatchObject({ file: path.join(bin, 'redis-server'), source: 'path' });
  });

  it('takes Valkey too', async () => {
    const { bin, find } = machine();
    await program(bin, 'valkey-server', ['echo "Valkey server v=8.0.1 sha=00000000:0"']);
    expect(await find()).toMatchObject({ source: 'path' });
  });

  it('lists everything that was tried, and says what to do', async () => {
    const { bin, find } = machine();
    await program(bin, 'redis-server', ['echo "Redis server v=5.0.14 sha=0"']);
    await program(bin, 'valkey-server', ['echo "cannot load library" >&2; exit 127']);
    await program(bin, 'redis-check-rdb', ['echo "Usage: redis-check-rdb <file>"']);
    const error = await find().catch((cause: unknown) => cause);
    expect(error).toMatchObject({
      code: 'redis_not_startable',
      fix: expect.stringContaining('REDIS_URL'),
    });
    const message = String(error);
    expect(message).toContain('redis-server is too old (5.0)');
    expect(message).toContain('valkey-server does not run (cannot load library)');
    expect(message).toContain('redis-check-rdb is no server');
    expect(message).toContain('no valkey-check-rdb on PATH');
    expect(message).toMatch(/the download failed: .*apt-get/);
  });

  it('downloads what is missing once, and then uses the cache', async () => {
    const { bin, cache, lines, find } = machine();
    const log = await addArchive(bin);
    const first = await find();
    const second = await find();
    expect(first.source).toBe('apt-download');
    expect(first.file.startsWith(cache)).toBe(true);
    expect(first.env['LD_LIBRARY_PATH']).toContain('/usr/lib/x86_64-linux-gnu');
    expect(second.file).toBe(first.file);
    expect(lines).toHaveLength(1);
    const calls = await readFile(log, 'utf8');
    expect(calls.match(/download liblzf1 redis-tools/g)).toHaveLength(1);
  });

  it('lets several start at the same time, and leaves nothing lying about', async () => {
    const { bin, cache, find } = machine();
    await addArchive(bin);
    const found = await Promise.all([find(), find(), find(), find()]);
    expect(new Set(found.map(({ file }) => file)).size).toBe(1);
    expect(await readdir(cache)).toHaveLength(1);
  });

  it('fetches lists of its own when the machine has none', async () => {
    const { bin, cache, lines, find } = machine();
    const log = await addArchive(bin, { needsUpdate: true });
    expect(await find()).toMatchObject({ source: 'apt-download' });
    expect(lines).toHaveLength(2);
    const update = (await readFile(log, 'utf8')).split('\n').find((line) => /update$/.test(line));
    expect(update).toContain(`Dir::State::Lists=${cache}`);
  });

  it('replaces a cached program that no longer runs', async () => {
    const { bin, cache, find } = machine();
    await addArchive(bin);
    const { file } = await find();
    await writeFile(file, '#!/bin/sh\nexit 127\n');
    expect((await find()).file).toBe(file);
    expect(await readFile(file, 'utf8')).toContain(VERSION_LINE);
    expect(await readdir(cache)).toHaveLength(1);
  });

  it('does not keep a download that does not run', async () => {
    const { bin, cache, find } = machine();
    await addArchive(bin);
    await program(bin, 'dpkg-deb', [
      `PATH=${SYSTEM}`,
      'mkdir -p "$3/usr/bin"',
      `printf '#!/bin/sh\\nexit 127\\n' > "$3/usr/bin/redis-check-rdb"`,
      'chmod 755 "$3/usr/bin/redis-check-rdb"',
    ]);
    await expect(find()).rejects.toMatchObject({ code: 'redis_not_startable' });
    expect(await readdir(cache)).toEqual([]);
  });

  it('makes way for itself where something else is in the cache', async () => {
    const { bin, cache, find } = machine();
    await addArchive(bin);
    await mkdir(path.join(cache, `redis-tools-${process.arch}`, 'usr'), { recursive: true });
    expect(await find()).toMatchObject({ source: 'apt-download' });
    expect(await readdir(cache)).toHaveLength(1);
  });
});
