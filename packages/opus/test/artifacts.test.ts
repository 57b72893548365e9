// The codec is committed as built: what it says of its origin must be true of what lies beside it.
// That the script makes these very bytes is checked by `npm run build:libopus -- --check`.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const FOLDER = new URL('../libopus/', import.meta.url);

function sha256(file: string): string {
  return createHash('sha256')
    .update(readFileSync(new URL(file, FOLDER)))
    .digest('hex');
}

const provenance: {
  artifacts: Record<string, string>;
  patches: Record<string, string>;
  sources: Record<string, string>;
} = JSON.parse(readFileSync(new URL('artifacts/provenance.json', FOLDER), 'utf8'));

function hashesOf(folder: string, ending: RegExp): Record<string, string> {
  const names = readdirSync(new URL(folder, FOLDER)).filter((name) => ending.test(name));
  return Object.fromEntries(names.sort().map((name) => [name, sha256(`${folder}${name}`)]));
}

test('the artifacts are those that were built', () => {
  expect(hashesOf('artifacts/', /\.(wasm|node)$/)).toEqual(provenance.artifacts);
  expect(Object.keys(provenance.artifacts)).toContain('libopus.wasm');
});

test('they were built with the patches and sources as they are', () => {
  expect(hashesOf('patches/', /\.patch$/)).toEqual(provenance.patches);
  expect(hashesOf('', /\.(c|h)$/)).toEqual(provenance.sources);
});
