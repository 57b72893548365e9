import { it } from 'vitest';
import { resultsOfSendingHost } from './small-peers.js';

it('both', { timeout: 400_000 }, async () => {
  const t0 = performance.now();
  for (const d of (process.env['D'] ?? 'none').split(',')) {
    const small = await resultsOfSendingHost(d as never);
    console.log(d, 'took', performance.now() - t0);
    console.log(
      small
        .filter((r) => r.outcome !== 'pass')
        .map((r) => JSON.stringify(r))
        .join('\n'),
    );
  }
});
