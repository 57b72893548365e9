// @ts-check
// `npm test`: set up, then every test. Arguments go to vitest: `npm test -- packages/dtmf`.
import { spawnSync } from 'node:child_process';
import { localBin, ROOT, setUp } from './setup.mjs';

setUp();
const result = spawnSync(localBin('vitest'), ['run', ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: 'inherit',
});
process.exit(result.status ?? 1);
