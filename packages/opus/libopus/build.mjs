// @ts-check
// Builds libopus from Debian's source with our patches: `libopus.wasm`, and `libopus-linux-<arch>.node`
// for the machine it runs on. Users need none of this: the results are committed.
//
//   node packages/opus/libopus/build.mjs                 build both into artifacts/
//   node packages/opus/libopus/build.mjs --check         build, and compare with what is committed
//   node packages/opus/libopus/build.mjs --source FILE   opus_1.5.2.orig.tar.gz got by other means
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fetchSource } from './fetch-source.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ARTIFACTS = path.join(HERE, 'artifacts');
const PROVENANCE = path.join(ARTIFACTS, 'provenance.json');

const VERSION = '1.5.2';
const SOURCE_SHA256 = '65c1d2f78b9f2fb20082c38cbe47c951ad5839345876e46941612ee87f9a7ce1';

/** Debian packages with the compilers; other versions build too, but other bytes. */
const TOOLS = ['clang-19', 'lld-19', 'wasi-libc', 'libclang-rt-19-dev-wasm32'];
const CLANG = 'clang-19';

/** Results must not hang on the engine: no fused multiply-add, no reordering of floats. */
const COMMON_FLAGS = [
  '-O3',
  '-std=gnu11',
  '-ffp-contract=off',
  '-fno-math-errno',
  // No symbol may bind to another libopus in the process.
  '-fvisibility=hidden',
  '-DOPUS_EXPORT=',
  '-ffunction-sections',
  '-fdata-sections',
  '-DNDEBUG',
  '-DHAVE_CONFIG_H',
  '-w',
];
const WASM_FLAGS = [
  '--target=wasm32-wasi',
  '-msimd128',
  '-mbulk-memory',
  '-msign-ext',
  '-mnontrapping-fptoint',
];
/** Deep enough for the longest stereo packet at 48 kHz; what overflows it traps. */
const WASM_STACK_BYTES = 512 * 1024;
const NATIVE_FLAGS = {
  x64: ['-fPIC', '-march=x86-64-v2', '-mtune=skylake'],
  arm64: ['-fPIC'],
};

const { values: options } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    source: { type: 'string' },
  },
});

const folder = mkdtempSync(path.join(os.tmpdir(), 'earshot-libopus-'));
try {
  requireTools();
  const tree = unpack(options.source ?? fetchSource(folder, 'opus', VERSION));
  const built = { ...buildWasm(tree), ...buildNative(tree) };
  const same = options.check ? compare(built) : keep(built);
  process.exitCode = same ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function requireTools() {
  const missing = spawnSync(CLANG, ['--version'], { stdio: 'ignore' }).error !== undefined;
  if (missing) {
    fail(`${CLANG} must be installed, got none; apt-get install ${TOOLS.join(' ')}`);
  }
}

/** @param {string} archive @returns {string} the patched source tree */
function unpack(archive) {
  const sha256 = sha256Of(readFileSync(archive));
  if (sha256 !== SOURCE_SHA256) {
    fail(`the source must have SHA-256 ${SOURCE_SHA256}, got ${sha256} (${archive})`);
  }
  run('tar', ['-xf', archive, '-C', folder], folder);
  const tree = path.join(folder, `opus-${VERSION}`);
  for (const patch of patches()) {
    say(`patch ${path.basename(patch)}`);
    run('patch', ['-p1', '--quiet', '--fuzz=0', '-i', patch], tree);
  }
  return tree;
}

function patches() {
  const patchFolder = path.join(HERE, 'patches');
  return readdirSync(patchFolder)
    .filter((name) => name.endsWith('.patch'))
    .sort()
    .map((name) => path.join(patchFolder, name));
}

/** What we compile beside libopus. */
function ownSources() {
  return readdirSync(HERE)
    .filter((name) => name.endsWith('.c') || name.endsWith('.h'))
    .sort()
    .map((name) => path.join(HERE, name));
}

/** @param {readonly string[]} files */
function hashes(files) {
  return Object.fromEntries(
    files.map((file) => [path.basename(file), sha256Of(readFileSync(file))]),
  );
}

/** @param {string} tree @returns {Record<string, Buffer>} */
function buildWasm(tree) {
  const objects = compile(tree, 'wasm', WASM_FLAGS);
  const out = path.join(folder, 'libopus.wasm');
  run(
    CLANG,
    [
      '--target=wasm32-wasi',
      '-nostartfiles',
      '-Wl,--no-entry,--gc-sections,--stack-first,--strip-all',
      `-Wl,-z,stack-size=${WASM_STACK_BYTES}`,
      '-Wl,--export=__heap_base',
      ...objects,
      '-o',
      out,
    ],
    folder,
  );
  return { 'libopus.wasm': readFileSync(out) };
}

/** @param {string} tree @returns {Record<string, Buffer>} nothing where we have no flags for the machine */
function buildNative(tree) {
  const arch = process.arch;
  if (process.platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64')) return {};
  const flags = [...NATIVE_FLAGS[arch], `-I${nodeApiHeaders()}`];
  const objects = compile(tree, 'native', flags);
  const name = `libopus-linux-${arch}.node`;
  const out = path.join(folder, name);
  run(
    CLANG,
    [
      '-shared',
      '-fuse-ld=lld',
      '-Wl,--gc-sections,--strip-all,--build-id=none',
      ...objects,
      '-lm',
      '-o',
      out,
    ],
    folder,
  );
  return { [name]: readFileSync(out) };
}

/**
 * @param {string} tree
 * @param {'wasm' | 'native'} host
 * @param {readonly string[]} flags
 * @returns {string[]} object files, in a fixed order
 */
function compile(tree, host, flags) {
  const objectFolder = path.join(folder, host);
  mkdirSync(objectFolder);
  const sources = [...sourceFiles(tree), path.join(HERE, `${host}.c`)];
  say(`${host}: ${sources.length} files`);
  const includes = [
    HERE,
    ...['include', 'celt', 'silk', 'silk/float', 'src', '.'].map((d) => path.join(tree, d)),
  ];
  return sources.map((source) => {
    const object = path.join(objectFolder, `${path.basename(source, '.c')}.o`);
    const args = [
      ...COMMON_FLAGS,
      ...flags,
      // Paths of the build folder must not get into the result.
      `-ffile-prefix-map=${folder}=.`,
      ...includes.map((include) => `-I${include}`),
      '-c',
      source,
      '-o',
      object,
    ];
    run(CLANG, args, tree);
    return object;
  });
}

/** The codec as libopus' own makefiles list it: no neural parts, no intrinsics chosen at run time.
 * @param {string} tree */
function sourceFiles(tree) {
  const lists = ['celt_sources.mk', 'silk_sources.mk', 'opus_sources.mk'];
  const wanted = [
    'CELT_SOURCES',
    'SILK_SOURCES',
    'SILK_SOURCES_FLOAT',
    'OPUS_SOURCES',
    'OPUS_SOURCES_FLOAT',
  ];
  const text = lists.map((list) => readFileSync(path.join(tree, list), 'utf8')).join('\n');
  const joined = text.replaceAll('\\\n', ' ');
  return wanted.flatMap((name) => {
    const line = new RegExp(`^${name} *= *(.*)$`, 'm').exec(joined);
    if (line?.[1] === undefined) throw new Error(`libopus' makefiles have no list ${name}`);
    return line[1]
      .trim()
      .split(/\s+/)
      .map((file) => path.join(tree, file));
  });
}

function nodeApiHeaders() {
  const include = path.resolve(process.execPath, '..', '..', 'include', 'node');
  const found = [include, '/usr/include/node'].find((d) => {
    try {
      return readdirSync(d).includes('node_api.h');
    } catch {
      return false;
    }
  });
  return found ?? fail("Node's headers (node_api.h) must be installed, got none");
}

/** @param {Record<string, Buffer>} built */
function keep(built) {
  mkdirSync(ARTIFACTS, { recursive: true });
  for (const [name, bytes] of Object.entries(built)) {
    writeFileSync(path.join(ARTIFACTS, name), bytes);
    say(`${name}: ${bytes.length} bytes`);
  }
  const files = readdirSync(ARTIFACTS)
    .filter((name) => name !== path.basename(PROVENANCE))
    .sort()
    .map((name) => path.join(ARTIFACTS, name));
  const record = { ...provenance(), artifacts: hashes(files) };
  writeFileSync(PROVENANCE, `${JSON.stringify(record, null, 2)}\n`);
  return true;
}

/** @param {Record<string, Buffer>} built */
function compare(built) {
  const committed = JSON.parse(readFileSync(PROVENANCE, 'utf8'));
  let same = true;
  for (const [name, bytes] of Object.entries(built)) {
    const wanted = sha256Of(readFileSync(path.join(ARTIFACTS, name)));
    const isSame = sha256Of(bytes) === wanted && committed.artifacts[name] === wanted;
    same &&= isSame;
    say(`${name}: ${isSame ? 'the same' : 'DIFFERENT'}`);
  }
  if (!same && committed.compiler !== compiler()) {
    say(`built with ${committed.compiler}, here is ${compiler()}: other bytes are to be expected`);
  }
  return same;
}

function provenance() {
  return {
    source: { debianPackage: 'opus', version: VERSION, sha256: SOURCE_SHA256 },
    patches: hashes(patches()),
    sources: hashes(ownSources()),
    compiler: compiler(),
    flags: { common: COMMON_FLAGS, wasm: WASM_FLAGS, native: NATIVE_FLAGS },
  };
}

function compiler() {
  const { stdout } = spawnSync(CLANG, ['--version'], { encoding: 'utf8' });
  return stdout.split('\n')[0] ?? '';
}

/** @param {Buffer} bytes */
function sha256Of(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} cwd
 */
function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2] });
  if (status !== 0) fail(`${command} must exit 0, got ${error?.message ?? status}`);
}

/** @param {string} text */
function say(text) {
  process.stderr.write(`libopus: ${text}\n`);
}

/** @param {string} rule @returns {never} */
function fail(rule) {
  rmSync(folder, { recursive: true, force: true });
  say(`Cannot build: ${rule}`);
  process.exit(1);
}
