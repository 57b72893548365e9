import type { OpusEngine } from '@earshot/opus';
import { encodeFrames } from '@earshot/opus';
import { readMeetingVoices } from '@earshot/test-kit';
import type { Control } from '../control/control.js';
import { SeededRandom } from '../seeded-random.js';
import type { Corpus } from './corpus.js';
import { createCorpus } from './corpus.js';

/** Speech in each of Opus' modes; mono, 20 ms a packet. */
export interface Corpora {
  /** SILK wideband, 24 kbit/s, from 16 kHz: what a Teams host sends. */
  readonly silk: Corpus;
  /** SILK below 8 kHz and CELT above, 32 kbit/s, from 48 kHz: what WebRTC sources send. */
  readonly hybrid: Corpus;
  /** CELT alone, 64 kbit/s, from 48 kHz. */
  readonly celt: Corpus;
}

export type Mode = keyof Corpora;

/** `opus_defines.h` and `opus_private.h`. */
const APPLICATION_VOIP = 2048;
const SET = { bitrate: 4002, bandwidth: 4008, forceMode: 11_002 } as const;
const MODE = { hybrid: 1001, celt: 1002 } as const;
const FULL_BAND = 1105;

const FULL_BAND_RATE_HZ = 48_000;
const FRAME_SAMPLES = 960;
/** Relative to the voice: gives the upper band something to code. */
const BREATH = 0.2;

/** The same bytes in every run with the same versions of our engine and the system's libopus. */
export async function makeCorpora(engine: OpusEngine, control: Control): Promise<Corpora> {
  const narrow = await readMeetingVoices(engine, 16_000);
  const wide = withBreath(await readMeetingVoices(engine, FULL_BAND_RATE_HZ));
  return {
    silk: createCorpus(
      encodeFrames(engine, narrow, {
        sampleRateHz: 16_000,
        channels: 1,
        bitrateBps: 24_000,
        dtx: false,
        application: 'voip',
      }),
    ),
    hybrid: encodeForced(control, wide, MODE.hybrid, 32_000),
    celt: encodeForced(control, wide, MODE.celt, 64_000),
  };
}

/** Our encoder does not let the mode be chosen; the system's does. */
function encodeForced(control: Control, pcm: Int16Array, mode: number, bitrateBps: number): Corpus {
  const encoder = control.createEncoder(FULL_BAND_RATE_HZ, 1, APPLICATION_VOIP);
  control.setEncoder(encoder, SET.bitrate, bitrateBps);
  control.setEncoder(encoder, SET.bandwidth, FULL_BAND);
  control.setEncoder(encoder, SET.forceMode, mode);
  const packet = new Uint8Array(1275);
  const packets: Uint8Array[] = [];
  for (let at = 0; at + FRAME_SAMPLES <= pcm.length; at += FRAME_SAMPLES) {
    const frame = pcm.subarray(at, at + FRAME_SAMPLES);
    packets.push(packet.slice(0, control.encode(encoder, frame, FRAME_SAMPLES, packet)));
  }
  return createCorpus(packets);
}

function withBreath(pcm: Int16Array): Int16Array {
  const random = new SeededRandom(1);
  return pcm.map((sample) => {
    const noisy = sample + BREATH * Math.abs(sample) * random.signed();
    return Math.max(-32_768, Math.min(32_767, Math.round(noisy)));
  });
}
