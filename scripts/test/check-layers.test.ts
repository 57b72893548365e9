import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { findBreaches, readPackages, sourceReader } from '../check-layers.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');

const PURE = {
  name: '@earshot/sound',
  folder: 'packages/sound',
  layer: 'pure' as const,
  dependencies: new Set(['@earshot/async', '@earshot/wire', 'zod', 'ws']),
  devDependencies: new Set<string>(),
};
const ADAPTER = {
  ...PURE,
  name: '@earshot/wire',
  folder: 'packages/wire',
  layer: 'adapter' as const,
};
const SERVICE = {
  ...PURE,
  name: '@earshot/server',
  folder: 'services/server',
  layer: 'service' as const,
};
const ASYNC = { ...PURE, name: '@earshot/async', folder: 'packages/async' };
const ALL = [PURE, ADAPTER, SERVICE, ASYNC];

function breachesOf(inPackage: (typeof ALL)[number], text: string): string[] {
  const file = path.join(inPackage.folder, 'src', 'thing.ts');
  return findBreaches(ALL, (p) => (p === inPackage ? [{ file, text }] : []));
}

describe('check-layers', () => {
  it('finds no breach in this repository', () => {
    expect(findBreaches(readPackages(ROOT), sourceReader(ROOT))).toEqual([]);
  });

  it.each([
    ['a pure package with I/O', PURE, "import fs from 'node:fs';", 'node:fs'],
    ['a pure package with the wall clock', PURE, 'const at = Date.now();', 'Date.now'],
    ['a pure package with a timer', PURE, 'setTimeout(run, 5);', 'a timer'],
    ['a pure package with chance', PURE, 'const x = Math.random();', 'Math.random'],
    ['a pure package with Buffer', PURE, 'const b = Buffer.alloc(4);', 'Buffer'],
    ['a pure package with an adapter', PURE, "import { a } from '@earshot/wire';", '@earshot/wire'],
    ['a pure package with a third party', PURE, "import ws from 'ws';", 'may not import ws'],
    ['an undeclared dependency', PURE, "import x from 'left-pad';", 'left-pad'],
    ['a deep relative import', PURE, "import { a } from '../../wire/src/a.js';", 'reaches out'],
    ['an adapter with an adapter', ADAPTER, "import { a } from '@earshot/wire';", '@earshot/wire'],
    ['a multi-line import', PURE, "import {\n  a,\n  b,\n} from '@earshot/wire';", '@earshot/wire'],
    ['a re-export', PURE, "export { a } from '@earshot/wire';", '@earshot/wire'],
  ])('refuses %s', (_name, inPackage, text, named) => {
    const breaches = breachesOf(inPackage, text);
    expect(breaches).toHaveLength(1);
    expect(breaches[0]).toContain(named);
  });

  it('allows a service everything below it, and words in comments', () => {
    expect(
      breachesOf(SERVICE, "import { a } from '@earshot/wire';\nimport fs from 'node:fs';"),
    ).toEqual([]);
    expect(breachesOf(PURE, '// Date.now() would be wrong here\nexport const a = 1;')).toEqual([]);
  });
});
