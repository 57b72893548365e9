import { describe, expect, it } from 'vitest';
import type { RuleResult } from '../src/index.js';
import { checkHost, HOST_RULES } from '../src/index.js';
import { startHostBench } from './host-bench.js';
import { notPassed, resultsOfHost } from './small-peers.js';

/** They break the host link, or wait for it. */
const ALONE = new Set(
  HOST_RULES.filter(({ isAlone, isLast }) => isAlone || isLast).map(({ id }) => id),
);

describe('our own host simulator', () => {
  it('passes', { timeout: 480_000 }, async () => {
    // Two at once: checks of the host link are made one after the other.
    const isAlone = (id: string): boolean => ALONE.has(id);
    const ids = HOST_RULES.map(({ id }) => id);
    const parts = [ids.filter(isAlone), ids.filter((id) => !isAlone(id))];
    const results = await Promise.all(parts.map(resultsOfSandbox));
    // It plays every codec, so that there is none for it to refuse.
    expect(results.flatMap(notPassed).filter(({ id }) => id !== 'W-8.codec')).toEqual([]);
  });
});

describe('a host written from the specification alone', () => {
  it('passes', { timeout: 480_000 }, async () => {
    expect(notPassed(await resultsOfHost())).toEqual([]);
  });
});

async function resultsOfSandbox(only: readonly string[]): Promise<RuleResult[]> {
  const bench = await startHostBench();
  try {
    return await checkHost({ ...bench.options, only, redialMs: 1500, sessions: 8 });
  } finally {
    await bench.close();
  }
}
