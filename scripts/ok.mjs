// @ts-check
// The one gate: format and lint, types, layers, tests. CI runs exactly this.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { localBin, ROOT, say, setUp } from './setup.mjs';

setUp();
const steps = [
  { name: 'format and lint', command: localBin('biome'), args: ['ci', '.'] },
  { name: 'types', command: localBin('tsc'), args: ['-p', 'tsconfig.test.json'] },
  { name: 'layers', command: process.execPath, args: [path.join('scripts', 'check-layers.mjs')] },
  { name: 'tests', command: localBin('vitest'), args: ['run'] },
];
for (const { name, command, args } of steps) {
  say(name);
  const { status } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) {
    say(`${name}: failed [${status ?? 'killed'}]`);
    process.exit(1);
  }
}
say('ok');
