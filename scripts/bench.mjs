// @ts-check
// `npm run bench -- decode` or `events`: set up, then the bench of test/bench; see docs/performance.md.
import { fail, setUp } from './setup.mjs';

setUp();
const { runBench } = await import('../test/bench/dist/main.js');
try {
  await runBench(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Error) || !('code' in error)) throw error;
  const fix = 'fix' in error && error.fix !== undefined ? ` ${error.fix}` : '';
  fail(String(error.code), `${error.message}${fix && `.${fix}`}`);
}
