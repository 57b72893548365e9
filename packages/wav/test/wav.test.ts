import { sine, snrDb, wavFile } from '@earshot/test-kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Wav } from '../src/index.js';
import { inMemory, parseWav, readChannel, readMono } from '../src/index.js';

const RATE_HZ = 16_000;
const LEFT = sine({ hz: 300, sampleRateHz: RATE_HZ, durationMs: 100 });
const RIGHT = sine({ hz: 700, sampleRateHz: RATE_HZ, durationMs: 100, amplitude: 0.2 });

class Refused extends Error {}

function parse(bytes: Uint8Array, mayBeCut = false): Wav {
  const refuse = (rule: string, got: string | number): Error => new Refused(`${rule}, got ${got}`);
  return parseWav(inMemory(bytes), { refuse, maxChannels: 2, mayBeCut });
}

function monoOf(bytes: Uint8Array, start = 0, length?: number): Float32Array {
  const wav = parse(bytes);
  const out = new Float32Array(length ?? wav.samples);
  readMono(wav, start, out);
  return out;
}

describe('WAV', () => {
  it.each([
    [1, 8, 35],
    [1, 16, 80],
    [1, 24, 120],
    [1, 32, 130],
    [3, 32, 130],
    [3, 64, 130],
    [6, 8, 35],
    [7, 8, 35],
  ])('with format %i of %i bits is read', (tag, bits, minSnrDb) => {
    for (const extensible of [false, true]) {
      const file = wavFile({ sampleRateHz: RATE_HZ, tag, bits, channels: [LEFT], extensible });
      expect(snrDb(LEFT, monoOf(file))).toBeGreaterThan(minSnrDb);
    }
  });

  it('in stereo is mixed down', () => {
    const file = wavFile({ sampleRateHz: 44_100, bits: 24, channels: [LEFT, RIGHT] });
    const mixed = LEFT.map((sample, n) => (sample + (RIGHT[n] ?? 0)) / 2);
    expect(snrDb(mixed, monoOf(file))).toBeGreaterThan(110);
    expect(parse(file)).toMatchObject({
      channels: 2,
      sampleRateHz: 44_100,
      samples: 1600,
    });
  });

  it('of several channels has each by itself', () => {
    const wav = parse(wavFile({ sampleRateHz: RATE_HZ, bits: 24, channels: [LEFT, RIGHT] }));
    for (const [channel, wanted] of [LEFT, RIGHT].entries()) {
      const out = new Float32Array(wav.samples + 1);
      readChannel(wav, channel, 1, out);
      expect(snrDb(wanted.subarray(1), out)).toBeGreaterThan(100);
      expect([...out.subarray(-2)]).toEqual([0, 0]);
    }
  });

  it.each(['RF64', 'BW64'] as const)('of 64-bit lengths is read: %s', (form) => {
    const file = wavFile({ sampleRateHz: RATE_HZ, channels: [LEFT], form });
    const longer = Uint8Array.from([...file, ...new Uint8Array(100)]);
    expect(parse(longer)).toMatchObject({ samples: LEFT.length, isCut: false });
    expect(snrDb(LEFT, monoOf(file))).toBeGreaterThan(80);
    expect(() => parse(file.subarray(0, -1))).toThrow('3200 bytes it says, got 3199');
  });

  it('that was cut, or never said how long it became, is read as far as it goes where it may', () => {
    const whole = wavFile({ sampleRateHz: RATE_HZ, channels: [LEFT] });
    const unsaid = wavFile({ sampleRateHz: RATE_HZ, channels: [LEFT], statedBytes: 0 });
    expect(parse(whole, true)).toMatchObject({ samples: LEFT.length, isCut: false });
    expect(parse(whole.subarray(0, -101), true)).toMatchObject({ samples: 1549, isCut: true });
    expect(parse(unsaid, true)).toMatchObject({ samples: LEFT.length, isCut: true });
    expect(() => parse(unsaid)).toThrow('a sample or more, got 0');
  });

  it('may have other chunks first, of odd length too', () => {
    const before = { name: 'LIST', bytes: 7 };
    const file = wavFile({ sampleRateHz: RATE_HZ, channels: [LEFT], before });
    expect(parse(file).samples).toBe(LEFT.length);
  });

  it('may not know how long it is, as one from a pipe', () => {
    const file = wavFile({ sampleRateHz: RATE_HZ, channels: [LEFT], statedBytes: 0xffff_ffff });
    expect(parse(file).samples).toBe(LEFT.length);
  });

  it('is silent before its start and after its end, and where a float is none', () => {
    const file = wavFile({ sampleRateHz: RATE_HZ, tag: 3, bits: 32, channels: [[0.5, NaN, 9]] });
    expect([...monoOf(file, -2, 6)]).toEqual([0, 0, 0.5, 0, 1, 0]);
  });

  it.each([
    ['nothing', new Uint8Array(0), /a WAV file, got another/],
    ['another file', new TextEncoder().encode('OggS and more of that'), /a WAV file, got another/],
    ['no data', wavFile({ sampleRateHz: RATE_HZ, channels: [LEFT] }).slice(0, 36), /"data" chunk/],
    ['three channels', wavFile({ sampleRateHz: RATE_HZ, channels: [LEFT, LEFT, LEFT] }), /got 3/],
    ['ADPCM', wavFile({ sampleRateHz: RATE_HZ, tag: 17, bits: 8, channels: [LEFT] }), /format 17/],
    ['no samples', wavFile({ sampleRateHz: RATE_HZ, channels: [[]] }), /a sample or more, got 0/],
    [
      'less than it says',
      wavFile({ sampleRateHz: RATE_HZ, channels: [LEFT], statedBytes: 9999 }),
      /9999 bytes it says, got 3200/,
    ],
  ])('with %s is refused by the rule it breaks', (_, bytes, message) => {
    expect(() => parse(bytes)).toThrow(message);
  });

  it('of any bytes is read or refused, and never read past its end', () => {
    const file = wavFile({ sampleRateHz: RATE_HZ, channels: [LEFT.slice(0, 40)] });
    const damage = fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { maxLength: 8 });
    const tail = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(damage, fc.nat(file.length), tail, (damages, cut, more) => {
        const bytes = Uint8Array.from([...file.subarray(0, cut), ...more]);
        for (const [at, byte] of damages) if (at < bytes.length) bytes[at] = byte;
        let wav: Wav;
        try {
          wav = parse(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Refused);
          return;
        }
        const out = new Float32Array(Math.min(wav.samples + 3, 5000));
        readMono(wav, -1, out);
        expect(out.every((sample) => sample >= -1 && sample <= 1)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
