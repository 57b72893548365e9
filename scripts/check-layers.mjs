// @ts-check
// Fails when a package reaches across a layer border. The layer of each package is the field
// `earshot.layer` of its manifest; the rules are those of docs/architecture.md.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** @typedef {'pure' | 'driver' | 'adapter' | 'core' | 'service' | 'test'} Layer */
/** @typedef {{ name: string, folder: string, layer: Layer, dependencies: Set<string>, devDependencies: Set<string> }} Package */
/** @typedef {{ file: string, text: string }} Source */

/** Which layers the sources of a layer may import. @type {Record<Layer, readonly Layer[]>} */
const MAY_IMPORT = {
  pure: ['pure'],
  driver: ['pure'],
  adapter: ['pure', 'driver'],
  core: ['pure'],
  service: ['pure', 'adapter', 'core'],
  test: ['pure', 'driver', 'adapter', 'core', 'service', 'test'],
};

/** Outside packages that do no I/O, own no clock and may stand in a pure package. */
const PURE_THIRD_PARTY = new Set(['zod']);

/** What a pure package may not name, since it would bring I/O, time or chance into it. */
const IMPURE_NAMES = [
  [/\bDate\.now\b/, 'Date.now'],
  [/\bnew Date\(\)/, 'new Date()'],
  [/\bMath\.random\b/, 'Math.random'],
  [/\bperformance\.now\b/, 'performance.now'],
  [/\b(setTimeout|setInterval|setImmediate|queueMicrotask)\s*\(/, 'a timer'],
  [/\bBuffer\b\s*[.(]/, 'Buffer'],
  [/\bprocess\.\w/, 'process'],
  [/\bconsole\.\w/, 'console'],
];

/** The one file of a pure package that holds the real clock. */
const CLOCK_FILE = path.join('packages', 'async', 'src', 'system.ts');

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'";]*?\sfrom\s*)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/**
 * Every breach of a layer rule, as one line each.
 * @param {readonly Package[]} packages
 * @param {(p: Package) => readonly Source[]} sourcesOf
 * @returns {string[]}
 */
export function findBreaches(packages, sourcesOf) {
  const byName = new Map(packages.map((p) => [p.name, p]));
  return packages.flatMap((p) =>
    sourcesOf(p).flatMap((source) => [
      ...importsOf(source.text).flatMap((target) => importBreach(p, source, target, byName)),
      ...(p.layer === 'pure' || p.layer === 'core' ? impureNames(source) : []),
    ]),
  );
}

/**
 * @param {Package} p
 * @param {Source} source
 * @param {string} target
 * @param {ReadonlyMap<string, Package>} byName
 */
function importBreach(p, source, target, byName) {
  const at = `${source.file}: `;
  if (target.startsWith('.')) {
    const inside = path.normalize(path.join(path.dirname(source.file), target));
    return inside.startsWith(p.folder + path.sep)
      ? []
      : [`${at}reaches out of its package (${target})`];
  }
  const isolated = p.layer === 'pure' || p.layer === 'core';
  if (target.startsWith('node:'))
    return isolated ? [`${at}a ${p.layer} package may not import ${target}`] : [];
  const name = target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
  if (!p.dependencies.has(name)) return [`${at}imports ${name}, which its manifest does not name`];
  const other = byName.get(name);
  if (other === undefined) {
    return isolated && !PURE_THIRD_PARTY.has(name)
      ? [`${at}a ${p.layer} package may not import ${name}`]
      : [];
  }
  return MAY_IMPORT[p.layer].includes(other.layer)
    ? []
    : [`${at}the layer ${p.layer} may not import ${name}, of the layer ${other.layer}`];
}

/** @param {Source} source */
function impureNames(source) {
  if (source.file === CLOCK_FILE) return [];
  const code = source.text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '');
  return IMPURE_NAMES.filter(([pattern]) => /** @type {RegExp} */ (pattern).test(code)).map(
    ([, name]) => `${source.file}: a pure package may not use ${name}`,
  );
}

/** @param {string} text */
function importsOf(text) {
  return [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? '');
}

/** @param {string} root */
export function readPackages(root) {
  /** @type {Package[]} */
  const packages = [];
  for (const group of ['packages', 'services', 'test']) {
    for (const entry of readdirSync(path.join(root, group), { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const folder = path.join(group, entry.name);
      const manifest = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8'));
      packages.push({
        name: manifest.name,
        folder,
        layer: manifest.earshot.layer,
        dependencies: new Set(Object.keys(manifest.dependencies ?? {})),
        devDependencies: new Set(Object.keys(manifest.devDependencies ?? {})),
      });
    }
  }
  return packages;
}

/**
 * @param {string} root
 * @returns {(p: Package) => Source[]}
 */
export function sourceReader(root) {
  return (p) =>
    readdirSync(path.join(root, p.folder, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => path.join(p.folder, 'src', name))
      .map((file) => ({ file, text: readFileSync(path.join(root, file), 'utf8') }));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
  const packages = readPackages(root);
  const breaches = findBreaches(packages, sourceReader(root));
  for (const breach of breaches) console.error(breach);
  console.error(`layers: ${packages.length} packages, ${breaches.length} breaches`);
  process.exit(breaches.length === 0 ? 0 : 1);
}
