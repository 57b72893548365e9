import { writeWav } from '@earshot/wav';
import { describe, expect, it } from 'vitest';
import { HeardAudio } from '../src/host/heard-audio.js';
import { pcmOf, range } from './send-kit.js';

const SECOND_BYTES = 32_000;

describe('HeardAudio', () => {
  it('has nothing before something was played', () => {
    expect(new HeardAudio().piece()).toBeUndefined();
  });

  it('keeps what was played at its place, with silence between', () => {
    const heard = new HeardAudio();
    heard.write(1_235, pcmOf(1));
    heard.write(1_295, pcmOf(2));
    expect(heard.piece()).toEqual({
      startMs: 1_235,
      sampleRateHz: 16_000,
      samples: Int16Array.from([...pcmOf(1), ...new Int16Array(640), ...pcmOf(2)]),
    });
  });

  it('forgets what is older than its bound, and keeps silence for nothing', () => {
    const heard = new HeardAudio(3);
    for (const n of range(0, 500)) heard.write(n * 20, pcmOf(n));
    expect(heard.bytes).toBe(3 * SECOND_BYTES);
    const piece = heard.piece()!;
    expect([piece.startMs, piece.samples.length]).toEqual([7_000, 3 * 16_000]);
    expect(piece.samples.slice(0, 320)).toEqual(pcmOf(350));
    heard.write(3_600_000, pcmOf(7));
    expect(heard.bytes).toBe(SECOND_BYTES);
    const samples = heard.piece()!.samples;
    expect(samples.length).toBeLessThanOrEqual(3 * 16_000);
    expect(samples.slice(-320)).toEqual(pcmOf(7));
  });
});

describe('writeWav', () => {
  it('writes the 44 bytes that players want, and the samples', () => {
    const file = writeWav(Int16Array.of(1, -2), 16_000);
    expect(Buffer.from(file).toString('hex')).toBe(
      [
        '52494646', // RIFF
        '28000000', // 40 bytes follow
        '57415645', // WAVE
        '666d7420', // fmt
        '10000000',
        '0100', // PCM
        '0100', // mono
        '803e0000', // 16 000 Hz
        '007d0000', // 32 000 bytes a second
        '0200',
        '1000', // 16 bits
        '64617461', // data
        '04000000',
        '0100feff',
      ].join(''),
    );
  });
});
