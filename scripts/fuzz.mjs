// @ts-check
// `npm run fuzz -- opus` or `-- bridge`: set up, then hostile packets for the Opus engines (test/fuzz)
// or hostile messages for the codec of the bridge (packages/bridge-protocol/fuzz).
import { fail, say, setUp } from './setup.mjs';

setUp();
const [subject, ...rest] = process.argv.slice(2);
try {
  await (subject === 'bridge' ? fuzzBridge(rest) : fuzzOpus());
} catch (error) {
  if (!(error instanceof Error)) throw error;
  if (error.name === 'FuzzFailure') {
    say(error.message);
    process.exit(1);
  }
  if (!('code' in error)) throw error;
  const fix = 'fix' in error && error.fix !== undefined ? `. ${error.fix}` : '';
  fail(String(error.code), `${error.message}${fix}`);
}

async function fuzzOpus() {
  const { runFuzz } = await import('../test/fuzz/dist/main.js');
  await runFuzz(process.argv.slice(2));
}

/** @param {readonly string[]} args */
async function fuzzBridge(args) {
  const { runBridgeFuzz } = await import('../packages/bridge-protocol/fuzz/bridge-fuzz.mjs');
  await runBridgeFuzz(args);
}
