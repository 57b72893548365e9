// @ts-check
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The Debian release that has the version we build. */
const SUITE = 'trixie';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Downloads a source archive with apt, from the mirror that the machine uses already; changes
 * nothing of the system's apt.
 *
 * @param {string} folder where to work
 * @param {string} name the source package
 * @param {string} version upstream's
 * @returns {string} the archive's path
 */
export function fetchSource(folder, name, version) {
  const apt = path.join(folder, 'apt');
  mkdirSync(path.join(apt, 'lists', 'partial'), { recursive: true });
  mkdirSync(path.join(apt, 'cache', 'archives', 'partial'), { recursive: true });
  const sources = path.join(apt, 'sources.list');
  writeFileSync(sources, `deb-src [signed-by=${KEYRING}] ${mirror()} ${SUITE} main\n`);
  const options = [
    `Dir::Etc::sourcelist=${sources}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State::lists=${path.join(apt, 'lists')}`,
    `Dir::Cache=${path.join(apt, 'cache')}`,
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
  run([...options, '--quiet', 'update'], folder);
  run([...options, '--quiet', '--download-only', '--tar-only', 'source', name], folder);
  const file = readdirSync(folder).find((entry) => entry.startsWith(`${name}_${version}.orig.tar`));
  if (file === undefined) {
    throw new Error(`Cannot fetch the source: ${SUITE} must have ${name} ${version}; use --source`);
  }
  return path.join(folder, file);
}

/** The machine's Debian mirror. */
function mirror() {
  const folder = '/etc/apt/sources.list.d';
  const files = [
    '/etc/apt/sources.list',
    ...(existsSync(folder) ? readdirSync(folder).map((f) => path.join(folder, f)) : []),
  ];
  for (const file of files.filter((f) => existsSync(f))) {
    const found = /^(?:URIs: *|deb .*?)(https?:\/\/\S+\/debian)\/?\s/m.exec(
      readFileSync(file, 'utf8'),
    );
    if (found?.[1] !== undefined) return found[1];
  }
  throw new Error('Cannot fetch the source: apt must know a Debian mirror, got none; use --source');
}

/**
 * @param {readonly string[]} args
 * @param {string} cwd
 */
function run(args, cwd) {
  const { status, error } = spawnSync('apt-get', args, { cwd, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`apt-get must exit 0, got ${error?.message ?? status}`);
}
