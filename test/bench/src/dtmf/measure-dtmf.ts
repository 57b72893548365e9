import process from 'node:process';
import { DtmfDetector } from '@earshot/dtmf';
import { createOpusEngine } from '@earshot/opus';
import { orNothing } from '../or-nothing.js';
import { say } from '../progress.js';
import { quantile } from '../quartiles.js';
import type { Cell } from './cell.js';
import { acceptCells, rejectCells } from './dialled-cells.js';
import type {
  DetectorResult,
  DtmfResult,
  GroupResult,
  LossResult,
  TalkOff,
} from './dtmf-result.js';
import { missedTargets } from './dtmf-result.js';
import { hearWithGaps, lossSpeech } from './lossy-speech.js';
import { multimonDetector } from './multimon-detector.js';
import { otherCells } from './other-tones.js';
import type { BenchDetector } from './our-detector.js';
import { ourDetector } from './our-detector.js';
import { receivedDigitsOf } from './received.js';
import type { Recording } from './recordings.js';
import { RECORDING_RATE_HZ, readMusic, readSpeech } from './recordings.js';
import { resample } from './resample.js';
import { Score } from './score.js';
import { spandspDetectors } from './spandsp-detector.js';
import { OpusPath } from './through-opus.js';

const RATE_HZ = 16_000;
const FRAME_SAMPLES = 320;
const FRAME_MS = 20;
const LOSS_SHARE = 0.05;
/** What an encoder is told that expects such loss. */
const FEC_LOSS_PERCENT = 5;
/** Cells after which the run says how far it is. */
const CELLS_A_LINE = 100;
const SECONDS_PER_HOUR = 3600;
/** Of each kind of cell, one in so many when quick. */
const QUICK_STRIDE = 7;
/** Speeds at which ours hears speech besides its own: other voices, as far as tones go. */
const SPEEDS = [1, 0.7, 0.8, 0.9, 1.1, 1.2, 1.4];

const OURS = 'earshot';

interface Material {
  readonly cells: readonly Cell[];
  readonly speech: readonly Recording[];
  readonly music: readonly Recording[];
  readonly speeds: readonly number[];
}

/** All detectors on the same cells; what can't be had is told and left out. */
export async function measureDtmf(quick: boolean): Promise<DtmfResult> {
  const missing: string[] = [];
  const detectors = [ourDetector(), ...(await peers(missing))];
  const material: Material = {
    cells: cellsOf(quick),
    speech: await orNothing(() => readSpeech(quick), 'human speech', missing),
    music: await orNothing(() => (quick ? Promise.resolve([]) : readMusic()), 'music', missing),
    speeds: quick ? [1] : SPEEDS,
  };
  const scores = detectors.map((detector) => ({ detector, score: new Score() }));
  const opus = await hearCells(material.cells, scores);
  const results: Record<string, DetectorResult> = {};
  for (const { detector, score } of scores) {
    results[detector.name] = {
      ...groupOf(score),
      reports: detector.reports,
      latencyP50Ms: latency(score, 0.5),
      latencyP99Ms: latency(score, 0.99),
      opus24: groupOf(opus.clean.get(detector)!),
      opus24Loss5: lossOf(opus.lossy.get(detector)!),
      ...(detector.name === OURS ? lossesOf(opus) : {}),
      ...(detector.name === OURS ? await lossSpeech(material.speech, material.speeds) : {}),
      speech: talkOff(detector, material.speech, speedsOf(detector, material)),
      music: talkOff(detector, material.music, [1]),
      faults: score.faults,
    };
  }
  return {
    detectors: results,
    missedTargets: missedTargets(results[OURS]!),
    missing,
    speechMicrosPerFrame: microsPerFrame(material.speech),
  };
}

async function peers(missing: string[]): Promise<BenchDetector[]> {
  const spandsp = await orNothing(spandspDetectors, 'spandsp', missing);
  const multimon = await orNothing(async () => [await multimonDetector()], 'multimon-ng', missing);
  return [...spandsp, ...multimon];
}

/** Every kind of cell; in short one in `QUICK_STRIDE` of them. */
export function cellsOf(quick: boolean): Cell[] {
  const groups = [acceptCells(), rejectCells(), otherCells()];
  return groups.flatMap((cells) =>
    quick ? cells.filter((_, n) => n % QUICK_STRIDE === 0) : cells,
  );
}

interface OpusScores {
  readonly clean: ReadonlyMap<BenchDetector, Score>;
  readonly lossy: ReadonlyMap<BenchDetector, Score>;
  /** Ours alone: the encoder adds copies, which are there for what is lost. */
  readonly fec: Score;
  readonly fecLossy: Score;
  /** Ours alone, frames of PCM being lost. */
  readonly pcmLossy: Score;
  /** Digits of which enough came through the loss of packets for anyone to hear them. */
  readonly receivedDigits: number;
}

async function hearCells(
  cells: readonly Cell[],
  scores: readonly { readonly detector: BenchDetector; readonly score: Score }[],
): Promise<OpusScores> {
  const path = new OpusPath(await createOpusEngine());
  const clean = new Map(scores.map(({ detector }) => [detector, new Score()]));
  const lossy = new Map(scores.map(({ detector }) => [detector, new Score()]));
  const fec = new Score();
  const fecLossy = new Score();
  const pcmLossy = new Score();
  let receivedDigits = 0;
  for (const [n, cell] of cells.entries()) {
    if (n % CELLS_A_LINE === 0) say(`cell ${n} of ${cells.length}`);
    const pcm = cell.render();
    const sent = path.send(pcm);
    const received = path.lose(sent, LOSS_SHARE, n + 1);
    const whole = path.decode(sent);
    const concealed = path.decode(received);
    for (const { detector, score } of scores) {
      score.add(cell, detector.hear(pcm, RATE_HZ));
      const isOurs = detector.name === OURS;
      clean.get(detector)!.add(cell, isOurs ? path.hear(sent) : detector.hear(whole, RATE_HZ));
      // What must be silent is, a fortiori, with less of it: loss is asked of what must be heard.
      if (cell.group !== 'accept') continue;
      const heard = isOurs ? path.hear(received) : detector.hear(concealed, RATE_HZ);
      lossy.get(detector)!.add(cell, heard);
    }
    if (cell.group !== 'accept') continue;
    const sentTwice = path.send(pcm, FEC_LOSS_PERCENT);
    fec.add(cell, path.hear(sentTwice));
    fecLossy.add(cell, path.hear(path.lose(sentTwice, LOSS_SHARE, n + 1)));
    const isLost = received.map((packet) => packet === undefined);
    pcmLossy.add(cell, hearWithGaps(pcm, RATE_HZ, isLost));
    receivedDigits += receivedDigitsOf(cell, isLost);
  }
  return { clean, lossy, fec, fecLossy, pcmLossy, receivedDigits };
}

function lossesOf({
  fec,
  fecLossy,
  pcmLossy,
  receivedDigits,
}: OpusScores): Pick<
  DetectorResult,
  'opus24Fec' | 'opus24FecLoss5' | 'pcmLoss5' | 'receivedPercent'
> {
  return {
    receivedPercent: (100 * receivedDigits) / pcmLossy.dialled,
    opus24Fec: lossOf(fec),
    opus24FecLoss5: lossOf(fecLossy),
    pcmLoss5: lossOf(pcmLossy),
  };
}

function groupOf(score: Score): GroupResult {
  return {
    dialled: score.dialled,
    accepted: score.accepted,
    acceptedPercent: (100 * score.accepted) / score.dialled,
    extra: score.extra,
    falseAccepts: score.falseAccepts,
    otherToneHits: score.otherToneHits,
  };
}

function lossOf(score: Score): LossResult {
  const { dialled, accepted, acceptedPercent, extra } = groupOf(score);
  return { dialled, accepted, acceptedPercent, extra };
}

function latency(score: Score, share: number): number | null {
  return score.latenciesMs.length === 0 ? null : quantile(score.latenciesMs, share);
}

function speedsOf(detector: BenchDetector, { speeds }: Material): readonly number[] {
  return detector.name === OURS ? speeds : [1];
}

function talkOff(
  detector: BenchDetector,
  recordings: readonly Recording[],
  speeds: readonly number[],
): TalkOff {
  let hits = 0;
  let seconds = 0;
  for (const speed of recordings.length === 0 ? [] : speeds) {
    say(`${detector.name}: ${recordings.length} recordings at speed ${speed}`);
    for (const { pcm } of recordings) {
      const sound = resample(pcm, 1 / speed);
      hits += detector.hear(sound, RECORDING_RATE_HZ).length;
      seconds += sound.length / RECORDING_RATE_HZ;
    }
  }
  return { hours: seconds / SECONDS_PER_HOUR, hits };
}

/** CPU time that ours takes for 20 ms of speech at 16 kHz, as the pipeline hands it over. */
function microsPerFrame(speech: readonly Recording[]): number | null {
  const sounds = speech.slice(0, 200).map(({ pcm }) => resample(pcm, 2));
  if (sounds.length === 0) return null;
  const detector = new DtmfDetector({ sampleRateHz: RATE_HZ, onTone: () => {} });
  const rounds: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    let frames = 0;
    const before = process.cpuUsage();
    for (const sound of sounds) {
      detector.reset();
      for (let n = 0; (n + 1) * FRAME_SAMPLES <= sound.length; n += 1) {
        const frame = sound.subarray(n * FRAME_SAMPLES, (n + 1) * FRAME_SAMPLES);
        detector.process(frame, n * FRAME_MS);
        frames += 1;
      }
    }
    rounds.push(process.cpuUsage(before).user / frames);
  }
  return quantile(rounds, 0.5);
}
