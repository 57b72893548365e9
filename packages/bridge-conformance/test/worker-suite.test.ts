import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkWorker } from '../src/index.js';
import { notPassed, resultsOfWorker } from './small-peers.js';
import { startWorkerBench } from './worker-bench.js';

describe('our own worker', () => {
  let bench: Awaited<ReturnType<typeof startWorkerBench>>;
  beforeAll(async () => {
    bench = await startWorkerBench();
  });
  afterAll(() => bench.close());

  it('breaks no rule', { timeout: 480_000 }, async () => {
    const results = await checkWorker({
      ...bench.options,
      concurrency: 12,
      // With threads and a database, on a machine that may be busy.
      replyMs: 15_000,
      limitMs: 90_000,
    });
    expect(results.filter(({ outcome }) => outcome === 'fail')).toEqual([]);
    const blocked = results.filter((r) => r.outcome === 'notApplicable' && r.blockedBy);
    expect(blocked).toEqual([]);
  });
});

describe('a worker written from the specification alone', () => {
  it('passes', { timeout: 480_000 }, async () => {
    // It gives resume tokens; a worker that gives none is checked for the opposite.
    expect(notPassed(await resultsOfWorker()).map(({ id }) => id)).toEqual(['U-14.absent']);
  });
});
