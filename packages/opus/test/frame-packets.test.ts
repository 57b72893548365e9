import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { OpusEngine } from '../src/index.js';
import {
  createOpusEngine,
  opusPacketDurationMs,
  toFramePackets,
  writeOggOpus,
} from '../src/index.js';
import {
  buzz,
  concat,
  correlation,
  decodeAlone,
  encodeAll,
  FRAME,
  joinPackets,
} from './signals.js';

const WAV = Buffer.from('RIFF....WAVEfmt ');

let engine: OpusEngine;
let directory: string;
beforeAll(async () => {
  engine = await createOpusEngine();
  directory = await mkdtemp(join(tmpdir(), 'earshot-opus-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function fileWith(bytes: Uint8Array): Promise<string> {
  const path = join(directory, 'sound');
  await writeFile(path, bytes);
  return path;
}

describe('Ogg Opus', () => {
  test('mono 20 ms packets pass through unchanged', async () => {
    const packets = encodeAll(engine, buzz(1, 80), { dtx: true });
    expect(await toFramePackets(await fileWith(await writeOggOpus({ packets })))).toEqual(packets);
  });

  test('a file without a packet is refused, and says whether it was cut off', async () => {
    const whole = await writeOggOpus({ packets: encodeAll(engine, buzz(1, 3)) });
    const audioPage = Buffer.from(whole).lastIndexOf('OggS');
    const reject = async (bytes: Uint8Array, found: string): Promise<void> => {
      await expect(toFramePackets(await fileWith(bytes))).rejects.toMatchObject({
        code: 'unsupported_audio_file',
        message: expect.stringContaining(found),
      });
    };
    await reject(whole.subarray(0, audioPage + 40), 'got Ogg Opus cut off before its sound');
    await reject(whole.subarray(0, audioPage), 'got Ogg Opus without sound');
  });

  test('60 ms packets become 20 ms ones with the same sound', async () => {
    const pcm = buzz(2, 90);
    const packets = encodeAll(engine, pcm);
    const joined = Array.from({ length: 30 }, (_, i) =>
      joinPackets(packets.slice(3 * i, 3 * i + 3)),
    );
    const result = await toFramePackets(await fileWith(await writeOggOpus({ packets: joined })));
    expectVoiceFrames(result, 90);
    // The first delay is cut by the file's pre-skip; the second encoder's remains.
    expect(correlation(pcm, concat(decodeAlone(engine, result)), 104)).toBeGreaterThan(0.9);
  });

  test('20 ms packets of many bytes become small ones', async () => {
    // Two frames of 10 ms (CELT, fullband), each shorter than the limit of one frame.
    const packet = Uint8Array.from({ length: 1401 }, (_, i) => (i * 73) & 0xff);
    packet[0] = (30 << 3) | 1;
    expect(opusPacketDurationMs(packet)).toBe(20);
    const bytes = await writeOggOpus({ packets: [packet, packet, packet] });
    const result = await toFramePackets(await fileWith(bytes));
    expect(result).toHaveLength(3);
    expect(result.every(({ length }) => length <= 1275)).toBe(true);
  });

  test('stereo becomes mono', async () => {
    const stereo = new Int16Array(50 * FRAME * 2);
    const left = buzz(1, 50);
    for (let i = 0; i < left.length; i++) stereo[2 * i] = left[i]!;
    const packets = encodeAll(engine, stereo, { channels: 2, bitrateBps: 64_000 });
    const bytes = await writeOggOpus({ packets, channels: 2 });
    const result = await toFramePackets(await fileWith(bytes));
    expectVoiceFrames(result, 50);
    expect(correlation(left, concat(decodeAlone(engine, result)), 104)).toBeGreaterThan(0.9);
  });

  test('a damaged packet costs its own time only', async () => {
    const packets = encodeAll(engine, buzz(2, 30));
    const joined = Array.from({ length: 10 }, (_, i) =>
      joinPackets(packets.slice(3 * i, 3 * i + 3)),
    );
    joined[4] = Uint8Array.from([joined[4]![0]!, 0x83, 255, 255, 255, 255]);
    const result = await toFramePackets(await fileWith(await writeOggOpus({ packets: joined })));
    expectVoiceFrames(result, 30);
  });

  test('output gain is applied', async () => {
    const packets = encodeAll(engine, buzz(1, 60));
    const bytes = await writeOggOpus({ packets });
    bytes.set([0x00, 0xf6], 28 + 16); // -10 dB in Q7.8, little-endian
    const quiet = concat(decodeAlone(engine, await toFramePackets(await fileWith(bytes))));
    const ratio = energy(quiet) / energy(concat(decodeAlone(engine, packets)));
    expect(10 * Math.log10(ratio)).toBeCloseTo(-10, 0);
  });
});

describe('other files', () => {
  test('without ffmpeg the error names what was found and what to do', async () => {
    const path = await fileWith(WAV);
    const message = `Cannot use ${path} as audio: it must be Ogg Opus, or readable by ffmpeg, got a WAV file`;
    const code = 'unsupported_audio_file';
    await expect(toFramePackets(path, { ffmpeg: false })).rejects.toMatchObject({ code, message });
    await withPath(join(directory, 'empty'), async () => {
      const missing = `${message} and no ffmpeg on PATH`;
      const fix = expect.stringContaining('Install ffmpeg');
      await expect(toFramePackets(path)).rejects.toMatchObject({ code, message: missing, fix });
    });
  });

  test('ffmpeg gets the path as a plain file name and its PCM is encoded', async () => {
    const pcm = buzz(3, 50);
    await writeFile(join(directory, 'pcm'), Buffer.from(pcm.buffer).subarray(0, -100));
    // A stand-in that takes our arguments and writes PCM in odd pieces, as a pipe may.
    await stubFfmpeg(`
      [ "$5" = "file:${directory}/sound" ] && [ "\${10}" = 1 ] && [ "\${12}" = 16000 ] || exit 9
      head -c 1001 ${directory}/pcm; tail -c +1002 ${directory}/pcm`);
    const path = await fileWith(WAV);
    await withPath(`${directory}:/usr/bin:/bin`, async () => {
      const result = await toFramePackets(path);
      expectVoiceFrames(result, 50);
      expect(correlation(pcm, concat(decodeAlone(engine, result)), 104)).toBeGreaterThan(0.9);
    });
  });

  test('what ffmpeg says reaches the reader', async () => {
    await stubFfmpeg('echo "sound: Invalid data found" >&2; exit 1');
    const path = await fileWith(Buffer.from('Hello'));
    await withPath(directory, async () => {
      await expect(toFramePackets(path)).rejects.toMatchObject({
        code: 'unsupported_audio_file',
        message: expect.stringContaining('ffmpeg says: sound: Invalid data found'),
      });
    });
  });
});

async function stubFfmpeg(script: string): Promise<void> {
  const path = join(directory, 'ffmpeg');
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

async function withPath(path: string, action: () => Promise<void>): Promise<void> {
  vi.stubEnv('PATH', path);
  try {
    await action();
  } finally {
    vi.unstubAllEnvs();
  }
}

function expectVoiceFrames(packets: readonly Uint8Array[], frames: number): void {
  expect(packets.length).toBe(frames);
  expect(new Set(packets.map(opusPacketDurationMs))).toEqual(new Set([20]));
  expect(packets.some((packet) => (packet[0]! & 4) !== 0)).toBe(false);
}

function energy(pcm: Int16Array): number {
  return pcm.reduce((sum, sample) => sum + sample * sample, 0);
}
