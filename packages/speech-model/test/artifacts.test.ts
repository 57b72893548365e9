// The model is committed as built: what it says of its origin must be true of what lies beside it.
// That the script makes these very bytes is checked by `npm run build:speech-model -- --check`.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const FOLDER = new URL('../silero/', import.meta.url);

const provenance: { artifacts: Record<string, string>; sources: Record<string, string> } =
  JSON.parse(readFileSync(new URL('artifacts/provenance.json', FOLDER), 'utf8'));

function hashesOf(folder: string, ending: RegExp): Record<string, string> {
  const names = readdirSync(new URL(folder, FOLDER)).filter((name) => ending.test(name));
  return Object.fromEntries(
    names.map((name) => {
      const bytes = readFileSync(new URL(`${folder}${name}`, FOLDER));
      return [name, createHash('sha256').update(bytes).digest('hex')];
    }),
  );
}

test('the artifacts are those that were built', () => {
  expect(hashesOf('artifacts/', /\.(wasm|weights)$/)).toEqual(provenance.artifacts);
});

test('they were built with the sources as they are', () => {
  expect(hashesOf('', /^(.*\.[ch]|extract\.mjs)$/)).toEqual(provenance.sources);
});
