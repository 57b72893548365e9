import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const IMPORTS = `
import type { OpenGate, RecordingPermit } from '@earshot/recording-gate';
import { closedGate, PermittedWriter, RecordingGate, reduceGate } from '@earshot/recording-gate';
const sink = () => ({ write() {}, close() {} });
declare const gate: RecordingGate;
`;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'earshot-forgery-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** Codes of the compiler's errors, by file. */
async function compile(sources: Readonly<Record<string, string>>): Promise<Map<string, string[]>> {
  const files = Object.entries(sources);
  for (const [name, text] of files) {
    await writeFile(path.join(folder, `${name}.ts`), IMPORTS + text);
  }
  const packages = path.join(ROOT, 'packages', '*', 'dist', 'index.d.ts');
  const config = {
    compilerOptions: {
      strict: true,
      noEmit: true,
      target: 'es2022',
      module: 'nodenext',
      types: [],
      skipLibCheck: true,
      paths: { '@earshot/*': [packages] },
    },
    include: ['*.ts'],
  };
  await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(config));
  await writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
  const tsc = path.join(ROOT, 'node_modules', '.bin', 'tsc');
  const output = await new Promise<string>((resolve) => {
    execFile(tsc, ['-p', folder, '--pretty', 'false'], { cwd: folder }, (_error, stdout) =>
      resolve(stdout),
    );
  });
  const codes = new Map<string, string[]>(files.map(([name]) => [name, []]));
  for (const [, name = '', code = ''] of output.matchAll(
    /^(\w+)\.ts\(\d+,\d+\): error (TS\d+)/gm,
  )) {
    codes.get(name)?.push(code);
  }
  return codes;
}

describe('the compiler', () => {
  it('takes a permit of a gate, and no other', async () => {
    const codes = await compile({
      honest: `
        const permit = gate.permit();
        if (permit !== undefined) new PermittedWriter(permit, sink);`,
      unchecked: 'new PermittedWriter(gate.permit(), sink);',
      lookalike: `
        const permit: RecordingPermit = { basis: 'graph', isValid: true, onRevoked: () => () => {} };
        new PermittedWriter(permit, sink);`,
      subclass: `
        class Mine implements RecordingPermit {
          readonly basis = 'graph' as const;
          readonly isValid = true;
          onRevoked() { return () => {}; }
        }
        new PermittedWriter(new Mine(), sink);`,
      without: 'new PermittedWriter(undefined, sink);',
      opened: `
        const open: OpenGate = { ...closedGate('graph'), state: 'open', basis: 'graph', reason: 'recording' };
        gate.follow(open);`,
      reduced: `gate.follow(reduceGate(closedGate('declaration'), { kind: 'declared' }));`,
    });
    expect(codes.get('honest')).toEqual([]);
    expect(codes.get('reduced')).toEqual([]);
    for (const forged of ['unchecked', 'lookalike', 'subclass', 'without', 'opened']) {
      expect(codes.get(forged), forged).not.toEqual([]);
      for (const code of codes.get(forged) ?? []) {
        // Not assignable, a property missing, or a class implemented wrongly: nothing else.
        expect(['TS2322', 'TS2345', 'TS2741', 'TS2420', 'TS2720'], forged).toContain(code);
      }
    }
  });
});
