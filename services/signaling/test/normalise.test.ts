import type { OpusEngine } from '@earshot/opus';
import {
  createOpusEngine,
  encodeFrames,
  isStereoPacket,
  listOggOpus,
  opusPacketDurationMs,
  writeOggOpus,
} from '@earshot/opus';
import { sine, snrDb, wavFile } from '@earshot/test-kit';
import { beforeAll, describe, expect, it } from 'vitest';
import { AudioNormaliser } from '../src/plays/normalise.js';

const RATE_HZ = 16_000;
/** How far the sound of our packets comes late, and a stereo Ogg's is cut to fit. */
const LOOKAHEAD = 104;

let engine: OpusEngine;
let normaliser: AudioNormaliser;
beforeAll(async () => {
  engine = await createOpusEngine();
  normaliser = new AudioNormaliser(engine, 2);
});

function decode(ogg: Uint8Array): Float64Array {
  const decoder = engine
    .createDecoderPool({ sampleRateHz: RATE_HZ, channels: 1, capacity: 1 })
    .acquire();
  const pcm = new Int16Array(320);
  const samples: number[] = [];
  for (const packet of listOggOpus(ogg, 100_000).packets) {
    decoder.decode(packet, 0, packet.length, pcm);
    samples.push(...pcm);
  }
  return Float64Array.from(samples, (sample) => sample / 32_768);
}

function encoded(channels: 1 | 2, sampleRateHz: 16_000 | 48_000, durationMs: number): Uint8Array[] {
  const mono = sine({ hz: 440, sampleRateHz, durationMs });
  const pcm = Int16Array.from(
    { length: mono.length * channels },
    (_, n) => (mono[Math.floor(n / channels)] ?? 0) * 32_767,
  );
  const options = { bitrateBps: 64_000, dtx: false, application: 'audio' } as const;
  return encodeFrames(engine, pcm, { ...options, sampleRateHz, channels });
}

describe('normalising', () => {
  it.each([
    [16_000, 1],
    [44_100, 2],
    [8000, 1],
  ])(
    'a WAV of %i Hz and %i channels gives 20-ms mono packets that sound the same',
    async (sampleRateHz, channels) => {
      const sound = sine({ hz: 440, sampleRateHz, durationMs: 1000 });
      const file = wavFile({ sampleRateHz, channels: Array(channels).fill(sound) });
      const { ogg, frames, sampleRateHz: rateHz } = await normaliser.normalise(file, 'wav');
      // A second, and one more for what the encoder looks ahead.
      expect([frames, rateHz]).toEqual([51, RATE_HZ]);
      const { packets, preSkip } = listOggOpus(ogg, 100);
      expect([packets.length, preSkip]).toEqual([51, 312]);
      expect(packets.every((packet) => opusPacketDurationMs(packet) === 20)).toBe(true);
      expect(packets.some(isStereoPacket)).toBe(false);
      const heard = decode(ogg).subarray(LOOKAHEAD + 1600, LOOKAHEAD + 14_400);
      const wanted = sine({ hz: 440, sampleRateHz: RATE_HZ, durationMs: 1000 }).subarray(
        1600,
        14_400,
      );
      expect(snrDb(wanted, heard)).toBeGreaterThan(20);
    },
  );

  it('Ogg Opus of 20-ms mono packets passes them through untouched', async () => {
    const packets = encoded(1, 48_000, 500);
    const file = await writeOggOpus({ packets, inputSampleRateHz: 48_000, serialNumber: 9 });
    const { ogg, frames, sampleRateHz } = await normaliser.normalise(file, 'ogg');
    expect(listOggOpus(ogg, 100).packets).toEqual(packets);
    expect([frames, sampleRateHz]).toEqual([25, 48_000]);
  });

  it('stereo Ogg Opus is decoded, mixed down and encoded', async () => {
    const file = await writeOggOpus({ packets: encoded(2, 48_000, 500), channels: 2 });
    const { ogg, frames } = await normaliser.normalise(file, 'ogg');
    expect(frames).toBe(25);
    const heard = decode(ogg).subarray(LOOKAHEAD + 1600, LOOKAHEAD + 7000);
    const wanted = sine({ hz: 440, sampleRateHz: RATE_HZ, durationMs: 500 }).subarray(1600, 7000);
    expect(snrDb(wanted, heard)).toBeGreaterThan(20);
  });

  it.each([
    ['wav', new Uint8Array(3), /WAV file, got/],
    ['ogg', new TextEncoder().encode('RIFF    WAVEfmt '), /Ogg Opus, got a WAV file/],
    ['ogg', new Uint8Array(0), /Ogg Opus, got an empty file/],
    [
      'wav',
      wavFile({ sampleRateHz: 8000, bits: 8, channels: [new Uint8Array(8000 * 601)] }),
      /at most 600 s, got 601 s/,
    ],
  ] as const)('%s that is none or too long is refused', async (kind, bytes, message) => {
    const normalised = normaliser.normalise(bytes, kind);
    await expect(normalised).rejects.toThrow(message);
    await expect(normalised).rejects.toMatchObject({ code: 'invalid_audio' });
  });

  it('Ogg Opus that is too long, has no sound or no Opus in it is refused', async () => {
    const second = encoded(1, 16_000, 1000);
    const long = await writeOggOpus({ packets: Array(601).fill(second).flat() });
    await expect(normaliser.normalise(long, 'ogg')).rejects.toThrow(/at most 600 s, got 601 s/);
    const headers = long.subarray(0, Buffer.from(long).indexOf('OggS', 60));
    await expect(normaliser.normalise(headers, 'ogg')).rejects.toThrow(/a packet or more/);
  });

  it('leaves the event loop free while it works', async () => {
    const sound = sine({ hz: 440, sampleRateHz: 44_100, durationMs: 50_000 });
    const file = wavFile({ sampleRateHz: 44_100, bits: 16, channels: [sound, sound] });
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    const { frames } = await normaliser.normalise(file, 'wav');
    isDone = true;
    expect(frames).toBe(2501);
    expect(turns).toBeGreaterThan(5);
  });
});
