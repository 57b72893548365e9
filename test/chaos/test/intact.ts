import { expect } from 'vitest';
import type { CallFacts, DeploymentOptions, FrameTotals } from '../dist/deployment.js';
import { Deployment, disorderOf, factsOf, totalsOf } from '../dist/deployment.js';

export interface Undisturbed extends CallFacts {
  readonly totals: FrameTotals;
  readonly said: readonly string[];
}

/** What a meeting gives when nobody disturbs anything; faster than life, on one worker. */
export async function undisturbed(
  meetingFolder: string,
  options: DeploymentOptions = {},
): Promise<Undisturbed> {
  const deployment = await Deployment.start({ meetingFolder, speed: 20, workers: 1, ...options });
  try {
    const callId = await deployment.join();
    await deployment.ended(callId);
    const { events } = deployment;
    expect(disorderOf(events)).toEqual({ problems: [], holes: 0 });
    const said = saidOf(deployment, callId);
    return { ...factsOf(events, callId), totals: totalsOf(events, callId), said };
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

/** What recognizers told of a call: of whom, what, and when. */
export function saidOf(deployment: Deployment, callId: string): string[] {
  const phrases = deployment
    .of(callId, 'phrase.recognized')
    .map(({ sourceId, data }) => [sourceId, data.phrase, data.startMs, data.endMs]);
  const finals = deployment
    .of(callId, 'transcript.final')
    .map(({ sourceId, data }) => [sourceId, data.text, data.startMs, data.endMs]);
  const skipped = deployment
    .of(callId, 'transcript.skipped')
    .map(({ sourceId, data }) => [sourceId, data.reason, data.startMs, data.endMs]);
  return [...phrases, ...finals, ...skipped].map((each) => each.join(' ')).sort();
}
