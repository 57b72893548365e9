import type { OpusEncoderOptions } from '@earshot/opus';
import { createOpusEngine, encodeFrames } from '@earshot/opus';
import { Random } from './random.js';

/** Real packets in order, as one encoder made them. */
export type PacketStream = readonly Uint8Array[];

const FRAMES = 150;
const SEED = 6716;

/** All modes, bandwidths and channel counts that our encoder makes, with FEC and DTX. */
const KINDS: readonly Partial<OpusEncoderOptions>[] = [
  { sampleRateHz: 8000, bitrateBps: 10_000 },
  { sampleRateHz: 12_000, bitrateBps: 16_000 },
  { sampleRateHz: 16_000, bitrateBps: 24_000 },
  { sampleRateHz: 16_000, bitrateBps: 24_000, fecLossPercent: 20 },
  { sampleRateHz: 16_000, bitrateBps: 32_000, channels: 2, dtx: true },
  { sampleRateHz: 48_000, bitrateBps: 32_000 },
  { sampleRateHz: 48_000, bitrateBps: 36_000, fecLossPercent: 20 },
  { sampleRateHz: 48_000, bitrateBps: 56_000, channels: 2 },
  { sampleRateHz: 48_000, bitrateBps: 64_000, application: 'audio' },
  { sampleRateHz: 48_000, bitrateBps: 128_000, application: 'audio', channels: 2 },
];

/** The same streams in every run of the same build. */
export async function makePacketCorpus(): Promise<PacketStream[]> {
  const engine = await createOpusEngine({ engine: 'wasm' });
  return KINDS.map((kind, index) => {
    const options = {
      sampleRateHz: 16_000,
      channels: 1,
      bitrateBps: 24_000,
      dtx: false,
      application: 'voip',
      ...kind,
    } as const;
    return encodeFrames(engine, makeSound(options, index), options);
  });
}

/** Syllables of a moving buzz with noise, and pauses between them. */
function makeSound({ sampleRateHz, channels }: OpusEncoderOptions, index: number): Int16Array {
  const random = new Random(SEED + index);
  const pcm = new Int16Array((FRAMES / 50) * sampleRateHz * channels);
  let phase = 0;
  for (let i = 0; i < pcm.length; i += 1) {
    const seconds = i / channels / sampleRateHz;
    phase += (2 * Math.PI * (150 + 20 * index + 30 * Math.sin(4 * seconds))) / sampleRateHz;
    const envelope = Math.max(0, Math.sin(9 * seconds + (i % channels)) + 0.2);
    const noise = random.below(2000) / 1000 - 1;
    const voice = Math.sin(phase) + 0.5 * Math.sin(3 * phase) + 0.3 * Math.sin(7 * phase);
    pcm[i] = 7000 * envelope * (voice + 0.4 * noise);
  }
  return pcm;
}
