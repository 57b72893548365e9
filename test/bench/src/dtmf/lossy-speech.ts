import { DtmfDetector } from '@earshot/dtmf';
import { createOpusEngine } from '@earshot/opus';
import { say } from '../progress.js';
import { SeededRandom } from '../seeded-random.js';
import { wholeFrames } from './cell.js';
import { CELL_SEED } from './dialled-cells.js';
import type { DetectorResult, TalkOff } from './dtmf-result.js';
import type { Recording } from './recordings.js';
import { RECORDING_RATE_HZ } from './recordings.js';
import { resample } from './resample.js';
import type { HeardDigit } from './score.js';
import { OpusPath } from './through-opus.js';

const RATE_HZ = 16_000;
const FRAME_MS = 20;
const LOSS_PER_MILLE = 50;
const SECONDS_PER_HOUR = 3600;

/**
 * Digits that ours hears in speech of which one frame in twenty is lost, for beside gaps it is content
 * with less: frames of PCM at all speeds, and packets of Opus at the first.
 */
export async function lossSpeech(
  recordings: readonly Recording[],
  speeds: readonly number[],
): Promise<Pick<DetectorResult, 'speechPcmLoss5' | 'speechOpusLoss5'>> {
  const random = new SeededRandom(CELL_SEED + 5);
  const pcm = speeds.map((speed) => {
    say(`earshot: ${recordings.length} recordings at speed ${speed}, frames lost`);
    return talkOff(recordings, RECORDING_RATE_HZ, speed, (sound) => {
      const frames = Math.ceil((sound.length * 1000) / RECORDING_RATE_HZ / FRAME_MS);
      const isLost = Array.from({ length: frames }, () => random.below(1000) < LOSS_PER_MILLE);
      return hearWithGaps(sound, RECORDING_RATE_HZ, isLost);
    });
  });
  say(`earshot: ${recordings.length} recordings through Opus, packets lost`);
  const path = new OpusPath(await createOpusEngine());
  const opus = talkOff(recordings, RATE_HZ, 1, (sound, n) => {
    const whole = new Int16Array(wholeFrames((sound.length * 1000) / RATE_HZ));
    whole.set(sound);
    return path.hear(path.lose(path.send(whole), LOSS_PER_MILLE / 1000, n + 1));
  });
  return {
    speechPcmLoss5: {
      hours: pcm.reduce((sum, { hours }) => sum + hours, 0),
      hits: pcm.reduce((sum, { hits }) => sum + hits, 0),
    },
    speechOpusLoss5: opus,
  };
}

/** Ours on PCM of which frames are lost. */
export function hearWithGaps(
  pcm: Int16Array,
  sampleRateHz: 8000 | 16_000,
  isLost: readonly boolean[],
): HeardDigit[] {
  const heard: HeardDigit[] = [];
  const detector = new DtmfDetector({
    sampleRateHz,
    onTone: ({ digit }) => heard.push({ digit }),
  });
  const frame = (sampleRateHz * FRAME_MS) / 1000;
  for (let n = 0; (n + 1) * frame <= pcm.length; n += 1) {
    if (isLost[n] === true) detector.gap(FRAME_MS);
    else detector.process(pcm.subarray(n * frame, (n + 1) * frame), n * FRAME_MS);
  }
  detector.discontinuity();
  return heard;
}

function talkOff(
  recordings: readonly Recording[],
  rateHz: number,
  speed: number,
  hear: (sound: Int16Array, n: number) => readonly HeardDigit[],
): TalkOff {
  let hits = 0;
  let samples = 0;
  recordings.forEach(({ pcm }, n) => {
    const sound = resample(pcm, rateHz / RECORDING_RATE_HZ / speed);
    hits += hear(sound, n).length;
    samples += sound.length;
  });
  return { hours: samples / rateHz / SECONDS_PER_HOUR, hits };
}
