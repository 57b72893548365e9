import { fork } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { CodedError } from '@earshot/async';
import type { FuzzMessage } from './fuzz-message.js';
import type { FuzzOptions } from './fuzz-options.js';
import { parseFuzzOptions } from './fuzz-options.js';
import type { FuzzSummary } from './fuzz-opus.js';

const ENTRY = fileURLToPath(new URL('./fuzz-process.js', import.meta.url));

/**
 * `npm run fuzz -- …`: progress on stderr, a line of JSON (`FuzzSummary`) on stdout.
 *
 * @throws CodedError `invalid_fuzz_options`, `fuzz_failed`, `fuzz_crashed`, `opus_engine_unavailable`
 */
export async function runFuzz(args: readonly string[]): Promise<void> {
  const options = parseFuzzOptions(args);
  const { engine, runs, seed } = options;
  process.stderr.write(`fuzz: ${runs} packets for ${engine}, seed ${seed}\n`);
  const startMs = performance.now();
  const summary = await runProcess(args, options, (done) => {
    const perSecond = Math.round((done * 1000) / (performance.now() - startMs));
    process.stderr.write(`fuzz: ${done} of ${runs}, ${perSecond}/s\n`);
  });
  const seconds = Math.round((performance.now() - startMs) / 1000);
  process.stdout.write(`${JSON.stringify({ ...summary, seconds })}\n`);
}

function runProcess(
  args: readonly string[],
  { engine, seed }: FuzzOptions,
  onProgress: (runs: number) => void,
): Promise<FuzzSummary> {
  const child = fork(ENTRY, [...args]);
  let reached = 0;
  return new Promise((resolve, reject) => {
    child.on('message', (message: FuzzMessage) => {
      switch (message.kind) {
        case 'progress':
          reached = message.runs;
          onProgress(reached);
          return;
        case 'summary':
          resolve(message.summary);
          return;
        case 'failure':
          reject(new CodedError(message.code, message.message));
          return;
      }
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const problem = `${engine} brought its process down (${signal ?? `exit code ${code}`})`;
      reject(new CodedError('fuzz_crashed', `${problem}; seed ${seed}, after run ${reached}`));
    });
  });
}
