import process from 'node:process';
import type { CallTone, CallToneKind } from '@earshot/call-tones';
import { CALL_TONE_KINDS, CallToneDetector } from '@earshot/call-tones';
import { createOpusEngine } from '@earshot/opus';
import { acceptCells } from '../dtmf/dialled-cells.js';
import type { Recording } from '../dtmf/recordings.js';
import { RECORDING_RATE_HZ, readMusic, readSpeech } from '../dtmf/recordings.js';
import { resample } from '../dtmf/resample.js';
import { OpusPath } from '../dtmf/through-opus.js';
import { orNothing } from '../or-nothing.js';
import { say } from '../progress.js';
import { quantile } from '../quartiles.js';
import { SeededRandom } from '../seeded-random.js';
import { TONE_SEED, toneCells } from './tone-cells.js';
import type { ToldTone } from './tone-score.js';
import { ToneScore } from './tone-score.js';
import type { FalseTones, TonesResult } from './tones-result.js';
import { missedTargets } from './tones-result.js';

const RATE_HZ = 16_000;
const FRAME_MS = 20;
const FRAME_SAMPLES = (RATE_HZ * FRAME_MS) / 1000;
const LOSS_SHARE = 0.05;
const MS_PER_HOUR = 3_600_000;
/** Cells after which the run says how far it is. */
const CELLS_A_LINE = 100;
/** Of the cells, one in so many when quick. */
const QUICK_STRIDE = 7;

/** Ours on tones, on what is none, and what it costs; what can't be had is told and left out. */
export async function measureTones(quick: boolean): Promise<TonesResult> {
  const missing: string[] = [];
  const prompts = await orNothing(() => readSpeech(quick), 'human speech', missing);
  // Among them are beeps, which are told for what they are.
  const speech = prompts.filter(({ name }) => !name.endsWith('beep.wav'));
  const music = await orNothing(
    () => (quick ? Promise.resolve([]) : readMusic()),
    'music',
    missing,
  );
  const { plain, opus24, opus24Loss5, pcmLoss5 } = await hearCells(quick);
  const figures = {
    plain: plain.result(),
    opus24: opus24.result(),
    opus24Loss5: opus24Loss5.result(),
    pcmLoss5: pcmLoss5.result(),
    speech: falseTones('speech', upsampled(speech)),
    speechLoss5: falseTones('speech, 5 % lost', upsampled(speech), LOSS_SHARE),
    digits: falseTones('digits', dialled(quick)),
  };
  return {
    seed: TONE_SEED,
    ...figures,
    music: falseTones('music', upsampled(music)),
    latencyMs: plain.latencies(),
    micros: {
      speech: speech.length === 0 ? null : microsPerFrame([...upsampled(speech.slice(0, 200))]),
      tone: microsPerFrame([toneWithoutEnd()]),
      silence: microsPerFrame([new Int16Array(2000 * FRAME_SAMPLES)]),
    },
    missedTargets: missedTargets(figures),
    missing,
    faults: plain.faults,
  };
}

interface Scores {
  readonly plain: ToneScore;
  readonly opus24: ToneScore;
  readonly opus24Loss5: ToneScore;
  readonly pcmLoss5: ToneScore;
}

async function hearCells(quick: boolean): Promise<Scores> {
  const path = new OpusPath(await createOpusEngine());
  const scores: Scores = {
    plain: new ToneScore(),
    opus24: new ToneScore(),
    opus24Loss5: new ToneScore(),
    pcmLoss5: new ToneScore(),
  };
  const cells = toneCells().filter((_, n) => !quick || n % QUICK_STRIDE === 0);
  for (const [n, cell] of cells.entries()) {
    if (n % CELLS_A_LINE === 0) say(`cell ${n} of ${cells.length}`);
    const pcm = cell.render();
    const sent = path.send(pcm);
    const received = path.lose(sent, LOSS_SHARE, n + 1);
    scores.plain.add(cell, hearTones(pcm));
    scores.opus24.add(cell, path.hearTones(sent));
    scores.opus24Loss5.add(cell, path.hearTones(received));
    scores.pcmLoss5.add(
      cell,
      hearTones(
        pcm,
        received.map((packet) => packet === undefined),
      ),
    );
  }
  return scores;
}

/** What ours tells, a frame at a time. */
export function hearTones(pcm: Int16Array, isLost: readonly boolean[] = []): ToldTone[] {
  const told: ToldTone[] = [];
  let toldMs = 0;
  const detector = new CallToneDetector({
    kinds: CALL_TONE_KINDS,
    onTone: ({ kind }: CallTone) => told.push({ kind, toldMs }),
  });
  for (let n = 0; (n + 1) * FRAME_SAMPLES <= pcm.length; n += 1) {
    toldMs = (n + 1) * FRAME_MS;
    if (isLost[n] === true) detector.gap(FRAME_MS);
    else detector.process(frameOf(pcm, n), n * FRAME_MS);
  }
  detector.discontinuity();
  return told;
}

function falseTones(what: string, sounds: Iterable<Int16Array>, lossShare: number = 0): FalseTones {
  say(`what is told of ${what}`);
  const random = new SeededRandom(TONE_SEED);
  const told: Partial<Record<CallToneKind, number>> = {};
  let samples = 0;
  for (const pcm of sounds) {
    samples += pcm.length;
    const isLost = Array.from(
      { length: Math.floor(pcm.length / FRAME_SAMPLES) },
      () => random.below(10_000) < lossShare * 10_000,
    );
    for (const { kind } of hearTones(pcm, isLost)) told[kind] = (told[kind] ?? 0) + 1;
  }
  return { hours: (samples * 1000) / RATE_HZ / MS_PER_HOUR, told };
}

function* upsampled(recordings: readonly Recording[]): Generator<Int16Array> {
  for (const { pcm } of recordings) yield resample(pcm, RATE_HZ / RECORDING_RATE_HZ);
}

/** The cells of the digits' bench in which digits must be heard. */
function* dialled(quick: boolean): Generator<Int16Array> {
  for (const [n, cell] of acceptCells().entries()) {
    if (!quick || n % QUICK_STRIDE === 0) yield cell.render();
  }
}

function toneWithoutEnd(): Int16Array {
  return Int16Array.from({ length: 2000 * FRAME_SAMPLES }, (_, i) =>
    Math.round(5000 * Math.sin((2 * Math.PI * 1000 * i) / RATE_HZ)),
  );
}

function frameOf(pcm: Int16Array, n: number): Int16Array {
  return pcm.subarray(n * FRAME_SAMPLES, (n + 1) * FRAME_SAMPLES);
}

/** CPU time for 20 ms: the median of five rounds. */
function microsPerFrame(sounds: readonly Int16Array[]): number {
  const rounds = Array.from({ length: 5 }, () => {
    const detector = new CallToneDetector({ kinds: CALL_TONE_KINDS, onTone: () => {} });
    let frames = 0;
    const before = process.cpuUsage();
    for (const pcm of sounds) {
      detector.discontinuity();
      for (let n = 0; (n + 1) * FRAME_SAMPLES <= pcm.length; n += 1) {
        detector.process(frameOf(pcm, n), n * FRAME_MS);
        frames += 1;
      }
    }
    return process.cpuUsage(before).user / frames;
  });
  return quantile(rounds, 0.5);
}
