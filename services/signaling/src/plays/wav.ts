import { fileKind } from '@earshot/opus';
import type { Wav } from '@earshot/wav';
import { inMemory, parseWav } from '@earshot/wav';
import { invalidAudio } from './invalid-audio.js';

/** Rates that are in use; all are a small ratio to 16 000. */
export const WAV_RATES_HZ: ReadonlySet<number> = new Set([
  8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400,
  192_000,
]);

const MAX_CHANNELS = 2;

/**
 * Reads the header of a WAV file that was posted: uncompressed, mono or stereo, of a rate in use.
 *
 * @param bytes stay the caller's, and must not change while the result is used.
 * @throws CodedError `invalid_audio`, whatever the bytes are.
 */
export function parsePostedWav(bytes: Uint8Array): Wav {
  const kind = fileKind(bytes);
  if (kind !== 'a WAV file') throw invalidAudio('it must be a WAV file', kind);
  const wav = parseWav(inMemory(bytes), { refuse: invalidAudio, maxChannels: MAX_CHANNELS });
  if (!WAV_RATES_HZ.has(wav.sampleRateHz)) {
    const rule = `its sample rate must be one of ${[...WAV_RATES_HZ].join(', ')} Hz`;
    throw invalidAudio(rule, wav.sampleRateHz);
  }
  return wav;
}
