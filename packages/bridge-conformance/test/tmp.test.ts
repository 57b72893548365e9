import { it } from 'vitest';
import { checkHost } from '../src/index.js';
import { startHostBench } from './host-bench.js';
import { resultsOfHost } from './small-peers.js';

it('both', { timeout: 400_000 }, async () => {
  const bench = await startHostBench();
  const t0 = performance.now();
  const [own, small] = await Promise.all([
    checkHost({ ...bench.options, redialMs: 1500, sessions: 8 }),
    resultsOfHost(),
  ]);
  console.log('took', performance.now() - t0);
  const bad = (rs: typeof own) =>
    rs
      .filter((r) => r.outcome !== 'pass')
      .map((r) => JSON.stringify(r))
      .join('\n');
  console.log(`own\n${bad(own)}\nsmall\n${bad(small)}`);
  await bench.close();
});
