import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** What an open gate can be made by, and the one place of Earshot where that is done. */
const MAKERS = {
  reduceGate: 'services/signaling/src/recording/recording-changes.ts',
  gateStateSchema: 'services/signaling/src/recording/recording-state.ts',
  parseGateState: 'packages/registry/src/recording-store.ts',
};

/** What each source file of Earshot imports of the gate. */
async function imports(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const group of ['packages', 'services']) {
    for (const name of await readdir(ROOT + group)) {
      const folder = `${group}/${name}/src`;
      const files = await readdir(ROOT + folder, { recursive: true }).catch(() => []);
      for (const file of files.filter((one) => one.endsWith('.ts'))) {
        const text = await readFile(`${ROOT}${folder}/${file}`, 'utf8');
        const lines = text.match(/import[^;]*from '@earshot\/recording-gate'/g) ?? [];
        if (lines.length > 0) found.set(`${folder}/${file}`, lines.join());
      }
    }
  }
  return found;
}

it('only one place can write what is kept of transcripts, and needs a permit for it', async () => {
  const folder = `${ROOT}packages/registry/src`;
  const writers: string[] = [];
  for (const file of await readdir(folder)) {
    const text = await readFile(`${folder}/${file}`, 'utf8');
    if (file !== 'keys.ts' && /\btranscript(Size)?\b\(/.test(text)) writers.push(file);
  }
  expect(writers).toEqual(['transcript-store.ts']);
  const text = await readFile(`${folder}/transcript-store.ts`, 'utf8');
  // The one script that writes is run by the sink of the permitted writer alone.
  expect(text.match(/KEEP\.run/g)).toHaveLength(1);
  expect(text.match(/new PermittedWriter/g)).toHaveLength(1);
  expect(text).toMatch(/writer\(permit: RecordingPermit/);
});

it('only one place each can make an open gate', async () => {
  const found = [...(await imports())];
  for (const [name, place] of Object.entries(MAKERS)) {
    const users = found.filter(([, names]) => new RegExp(`\\b${name}\\b`).test(names));
    expect(
      users.map(([path]) => path),
      name,
    ).toEqual([place]);
  }
});
