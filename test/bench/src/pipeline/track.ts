import type { OpusEngine } from '@earshot/opus';
import { encodeFrames } from '@earshot/opus';
import { readMeetingVoices } from '@earshot/test-kit';

/** 1, 5, 9 and # (ITU-T Q.23). */
const KEYS_HZ: readonly (readonly [number, number])[] = [
  [697, 1209],
  [770, 1336],
  [852, 1477],
  [941, 1477],
];
const SAMPLE_RATE_HZ = 16_000;
const FRAME_SAMPLES = 320;
const TRACK_FRAMES = 800;
/** Where the keys are pressed, evenly; each key once in a track, so that a digit tells the place. */
const FRAMES_PER_KEY = TRACK_FRAMES / KEYS_HZ.length;
const TONE_FRAMES = 6;
/** Around a tone, so that it is heard whatever is said. */
const QUIET_FRAMES = 3;
const TONE_AMPLITUDE = 6000;

/** What every stream of the load plays round and round: speech, and a key every four seconds. */
export async function makeTrack(engine: OpusEngine): Promise<Uint8Array[]> {
  const speech = await readMeetingVoices(engine, SAMPLE_RATE_HZ);
  const pcm = new Int16Array(TRACK_FRAMES * FRAME_SAMPLES);
  for (let at = 0; at < pcm.length; at += speech.length) {
    pcm.set(speech.subarray(0, pcm.length - at), at);
  }
  for (const [index, tonesHz] of KEYS_HZ.entries()) {
    press(pcm, (index + 0.5) * FRAMES_PER_KEY * FRAME_SAMPLES, tonesHz);
  }
  return encodeFrames(engine, pcm, {
    sampleRateHz: SAMPLE_RATE_HZ,
    channels: 1,
    bitrateBps: 24_000,
    dtx: false,
    application: 'voip',
  });
}

function press(pcm: Int16Array, start: number, tonesHz: readonly [number, number]): void {
  const end = start + TONE_FRAMES * FRAME_SAMPLES;
  const quiet = QUIET_FRAMES * FRAME_SAMPLES;
  pcm.fill(0, start - quiet, end + quiet);
  for (let i = start; i < end; i += 1) {
    const angle = (2 * Math.PI * (i - start)) / SAMPLE_RATE_HZ;
    const tone = Math.sin(tonesHz[0] * angle) + Math.sin(tonesHz[1] * angle);
    pcm[i] = TONE_AMPLITUDE * tone;
  }
}
