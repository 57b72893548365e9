import { createOpusEngine } from '@earshot/opus';
import { FuzzFailure } from './fuzz-failure.js';
import type { FuzzCounts, LaneFormat } from './fuzz-lane.js';
import { FuzzLane } from './fuzz-lane.js';
import type { FuzzOptions } from './fuzz-options.js';
import { makePacketCorpus } from './packet-corpus.js';
import { Random } from './random.js';

/** As decode threads have them, and the largest that libopus makes. */
const LANES: readonly LaneFormat[] = [
  { sampleRateHz: 16_000, channels: 1, maxSamples: 320, entries: 16, decoders: 64 },
  { sampleRateHz: 48_000, channels: 2, maxSamples: 5760, entries: 4, decoders: 16 },
];
/** The second lane takes five times as long and finds less. */
const SECOND_LANE_ONE_IN = 8;

const RUNS_PER_PROGRESS = 100_000;

/** A run that found nothing; the last line of stdout. */
export interface FuzzSummary extends FuzzCounts {
  readonly engine: string;
  readonly version: string;
  readonly seed: number;
}

/**
 * Decodes hostile packets; the same seed gives the same ones.
 *
 * @param onProgress told now and then how far it is
 * @throws FuzzFailure at the first thing that is wrong; CodedError `opus_engine_unavailable`
 */
export async function fuzzOpus(
  { engine: name, runs, seed }: FuzzOptions,
  onProgress: (counts: FuzzCounts) => void = () => {},
): Promise<FuzzSummary> {
  const engine = await createOpusEngine({ engine: name });
  const streams = await makePacketCorpus();
  const random = new Random(seed);
  const counts: FuzzCounts = {
    runs: 0,
    decoded: 0,
    refused: 0,
    concealed: 0,
    recovered: 0,
    renewed: 0,
    controlFrames: 0,
  };
  const lanes = LANES.map((format) => new FuzzLane({ engine, format, streams, random, counts }));
  const [first, second] = lanes;
  if (first === undefined || second === undefined) throw new Error('There must be two lanes');
  let toldRuns = 0;
  while (counts.runs < runs) {
    const lane = random.oneIn(SECOND_LANE_ONE_IN) ? second : first;
    const problem = tryStep(lane);
    if (problem !== undefined) throw new FuzzFailure(problem, seed, counts.runs, lane.lastPacket);
    if (counts.runs - toldRuns < RUNS_PER_PROGRESS) continue;
    toldRuns = counts.runs;
    onProgress(counts);
  }
  return { engine: engine.name, version: engine.version, seed, ...counts };
}

function tryStep(lane: FuzzLane): string | undefined {
  try {
    return lane.step();
  } catch (error) {
    return `the engine threw ${String(error)}`;
  }
}
