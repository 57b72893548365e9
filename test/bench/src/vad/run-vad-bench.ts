import process from 'node:process';
import { createSpeechModel } from '@earshot/speech-model';
import { say } from '../progress.js';
import { parseQuickOptions } from '../quick-options.js';
import { formatTable } from '../table.js';
import type { Heard } from './detectors.js';
import { byLevel, modelAlone, twoStages } from './detectors.js';
import type { MeetingCost } from './meeting.js';
import { measureMeeting } from './meeting.js';
import type { Mix } from './mixes.js';
import { makeMixes, SEED } from './mixes.js';
import type { OptionalPeers } from './optional-peers.js';
import { optionalPeers } from './optional-peers.js';
import { PEER_STEPS, rnnoiseVad, webrtc } from './peers.js';
import type { Score } from './score.js';
import { score } from './score.js';

const DETECTORS: Record<string, (pcm: Int16Array) => Heard | Promise<Heard>> = {
  'level alone': byLevel,
  'model alone': modelAlone,
  'two stages': twoStages,
  'WebRTC VAD': webrtc,
  RNNoise: rnnoiseVad,
};
const BATCHES = [1, 2, 4, 16, 32];
const WINDOW = 512;

/** What `npm run bench -- vad` writes. */
export interface VadResult {
  readonly seed: number;
  /** By detector and kind of mix. */
  readonly scores: Record<string, Record<string, Score>>;
  /** Share of the frames that the model hears behind the gate, by kind of mix. */
  readonly modelShare: Record<string, number>;
  /** µs a stream and 20 ms, by streams in a batch: the median of seven rounds. */
  readonly modelMicros: Record<string, number>;
  /** Two stages in meetings. */
  readonly meeting: MeetingCost;
  /** µs a frame that is not silent by flag, by peer: the median of seven rounds. */
  readonly peerMicros: Record<string, number>;
  /** µs a stream and 20 ms of peers that take batches, 16 at a time. */
  readonly peerBatchMicros: Record<string, number>;
  /** Peers that can't be had, and why. */
  readonly missing: readonly string[];
}

/** `npm run bench -- vad …`: a table, then one line of JSON (`VadResult`) on stdout. */
export async function runVadBench(args: readonly string[]): Promise<void> {
  const { json, quick } = parseQuickOptions('vad', args);
  say('making the mixes');
  const mixes = await makeMixes(quick);
  const kinds = [...new Set(mixes.map(({ name }) => name))];
  const scores: Record<string, Record<string, Score>> = {};
  const modelShare: Record<string, number> = {};
  const optional = await optionalPeers();
  const detectors = {
    ...DETECTORS,
    ...Object.fromEntries(optional.peers.map((peer) => [peer.name, peer.listen])),
  };
  for (const [detector, listen] of Object.entries(detectors)) {
    say(`listening: ${detector}`);
    const pairs: { mix: Mix; heard: Heard }[] = [];
    for (const mix of mixes) pairs.push({ mix, heard: await listen(mix.pcm) });
    scores[detector] = {};
    for (const kind of kinds) {
      const ofKind = pairs.filter(({ mix }) => mix.name === kind);
      scores[detector][kind] = score(ofKind);
      if (listen !== twoStages) continue;
      const shares = ofKind.map(({ heard }) => heard.modelShare);
      modelShare[kind] = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    }
  }
  say('measuring cost');
  const { sound, ...meeting } = await measureMeeting();
  const result: VadResult = {
    seed: SEED,
    scores,
    modelShare,
    modelMicros: measureModel(quick),
    meeting,
    ...(await measurePeers(sound, optional)),
    missing: optional.missing,
  };
  if (!json) process.stdout.write(`${format(result, kinds)}\n`);
  const short = (_: string, value: unknown): unknown =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
  process.stdout.write(`${JSON.stringify(result, short)}\n`);
}

function measureModel(quick: boolean): Record<string, number> {
  const model = createSpeechModel({ capacity: Math.max(...BATCHES) });
  const window = Int16Array.from({ length: WINDOW }, (_, i) => 3000 * Math.sin(i / 9 + (i % 7)));
  return Object.fromEntries(
    BATCHES.map((batch) => {
      const streams = Array.from({ length: batch }, () => model.acquire());
      const runs = Math.ceil((quick ? 500 : 3000) / batch);
      const rounds = Array.from({ length: 7 }, () => {
        const start = process.cpuUsage().user;
        for (let run = 0; run < runs; run += 1) {
          for (const stream of streams) stream.push(window);
          model.run();
        }
        return ((process.cpuUsage().user - start) / runs / batch) * (20 / 32);
      });
      for (const stream of streams) stream.release();
      return [batch, rounds.sort((a, b) => a - b)[3]!];
    }),
  );
}

async function measurePeers(
  sound: readonly Int16Array[],
  { peers }: OptionalPeers,
): Promise<Pick<VadResult, 'peerMicros' | 'peerBatchMicros'>> {
  const peerMicros: Record<string, number> = {};
  const peerBatchMicros: Record<string, number> = {};
  for (const [name, create] of Object.entries(PEER_STEPS)) {
    const step = create();
    const rounds = Array.from({ length: 7 }, () => {
      const start = process.cpuUsage().user;
      for (const frame of sound) step(frame);
      return (process.cpuUsage().user - start) / sound.length;
    });
    peerMicros[name] = rounds.sort((a, b) => a - b)[3]!;
  }
  for (const peer of peers) {
    const { alone, batch } = await peer.measure(sound);
    peerMicros[peer.name] = alone;
    if (batch !== undefined) peerBatchMicros[peer.name] = batch;
  }
  return { peerMicros, peerBatchMicros };
}

function format(result: VadResult, kinds: readonly string[]): string {
  const { scores, modelShare, modelMicros, meeting, peerMicros, peerBatchMicros, missing } = result;
  const cell = (score: Score): string => {
    const { auc, detectedPercent, falsePercent, onsetP50Ms, onsetP90Ms } = score;
    if (auc === null) return falsePercent.toFixed(1);
    const told = `${score.toldP50Ms}/${score.toldP90Ms}`;
    return `${detectedPercent?.toFixed(0)}/${falsePercent.toFixed(1)} ${auc.toFixed(3)} ${onsetP50Ms}/${onsetP90Ms} ${told}`;
  };
  const table = formatTable([
    ['detected %/false %, AUC, start off by p50/p90 ms, told after p50/p90 ms', ...kinds],
    ...Object.entries(scores).map(([name, of]) => [name, ...kinds.map((kind) => cell(of[kind]!))]),
    [
      'frames that the model hears, %',
      ...kinds.map((kind) => (100 * modelShare[kind]!).toFixed(0)),
    ],
  ]);
  const costs = Object.entries(modelMicros).map(([batch, us]) => `${batch}: ${us.toFixed(1)}`);
  const peers = Object.entries(peerMicros).map(([name, us]) => `${name}: ${us.toFixed(1)}`);
  const batches = Object.entries(peerBatchMicros).map(([name, us]) => `${name}: ${us.toFixed(1)}`);
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  return `${table}model, µs a stream and 20 ms, by streams in a batch: ${costs.join(', ')}
in meetings, µs a stream and 20 ms: both stages ${meeting.micros.toFixed(2)}, the first alone ${meeting.gateMicros.toFixed(2)}; ${percent(meeting.soundShare)} of frames have sound, the model hears ${percent(meeting.modelShare)}
peers, µs a frame with sound: ${peers.join(', ')}; 16 streams in a batch: ${batches.join(', ')}
${missing.length === 0 ? '' : `not to be had: ${missing.join('; ')}\n`}`;
}
