import { expect } from 'vitest';
import type { CallFacts, FrameTotals } from '../dist/deployment.js';
import { Deployment, disorderOf, factsOf, totalsOf } from '../dist/deployment.js';

export interface Undisturbed extends CallFacts {
  readonly totals: FrameTotals;
}

/** What a meeting gives when nobody disturbs anything; faster than life, on one worker. */
export async function undisturbed(meetingFolder: string): Promise<Undisturbed> {
  const deployment = await Deployment.start({ meetingFolder, speed: 20, workers: 1 });
  try {
    const callId = await deployment.join();
    await deployment.ended(callId);
    const { events } = deployment;
    expect(disorderOf(events)).toEqual({ problems: [], holes: 0 });
    return { ...factsOf(events, callId), totals: totalsOf(events, callId) };
  } finally {
    await deployment.close();
  }
}

/** The calls had the same events as one that nobody disturbed: each once, and in order. */
export function expectIntact(
  deployment: Deployment,
  calls: readonly string[],
  { findings, heardSources }: Undisturbed,
): void {
  const { events, duplicates } = deployment;
  const { problems, holes } = disorderOf(events);
  expect(problems).toEqual([]);
  // An event told again by the next worker keeps its id, and is left out of what is delivered.
  expect(holes).toBeLessThanOrEqual(duplicates);
  for (const callId of calls) {
    expect(factsOf(events, callId)).toEqual({ findings, heardSources });
  }
}
