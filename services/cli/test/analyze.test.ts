import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CodedError } from '@earshot/async';
import { DIGITS, generateSequence } from '@earshot/dtmf';
import type { OpusEngine } from '@earshot/opus';
import { createOpusEngine, encodeFrames, writeOggOpus } from '@earshot/opus';
import { writeWav } from '@earshot/wav';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Analyzer } from '../src/analyze/analyzer.js';
import type { FileAnalysis } from '../src/analyze/file-analysis.js';
import { analysisTable } from '../src/analyze/file-analysis.js';
import { runEarshot, runEarshotWith } from './run-earshot.js';

const MEETING = fileURLToPath(new URL('../../sandbox/meeting/', import.meta.url));
const GRAMMAR = '#JSGF V1.0;\ngrammar codes;\npublic <code> = [an] access code;\n';
const RATES_HZ = [8000, 11_025, 16_000, 22_050, 44_100, 48_000] as const;

let folder: string;
let engine: OpusEngine;
let analyzer: Analyzer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'earshot-analyze-'));
  engine = await createOpusEngine();
  analyzer = new Analyzer(engine);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Runs `earshot analyze …` to its end. */
function run(...args: string[]): ReturnType<typeof runEarshot> {
  return runEarshot('analyze', ...args);
}

/** What is heard of all channels of a file. */
async function heard(path: string): Promise<FileAnalysis> {
  const [analysis] = await analyzer.analyze(path);
  if (analysis === undefined) throw new Error('must be one');
  return analysis;
}

/** Where the third page of an Ogg file begins. */
function secondPageEnd(ogg: Uint8Array): number {
  let at = 0;
  for (let page = 0; page < 2; page += 1) {
    const segments = ogg.subarray(at + 27, at + 27 + ogg[at + 26]!);
    at += 27 + segments.length + segments.reduce((sum, bytes) => sum + bytes, 0);
  }
  return at;
}

function keyed(digits: string, sampleRateHz: number): Int16Array {
  return generateSequence({ digits, toneMs: 80, pauseMs: 70, sampleRateHz });
}

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Two channels of the same length, as 16-bit PCM. */
function stereoWav(left: Int16Array, right: Int16Array, sampleRateHz: number): Uint8Array {
  const both = Int16Array.from({ length: left.length * 2 }, (_, n) =>
    n % 2 === 0 ? left[n / 2]! : right[(n - 1) / 2]!,
  );
  const bytes = writeWav(both, sampleRateHz);
  const view = new DataView(bytes.buffer);
  view.setUint16(22, 2, true);
  view.setUint32(28, sampleRateHz * 4, true);
  view.setUint16(32, 4, true);
  return bytes;
}

function lines(text: string): FileAnalysis[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

function digitsOf({ tones }: FileAnalysis): string {
  return tones.map(({ digit }) => digit).join('');
}

describe('earshot analyze', () => {
  it.each(RATES_HZ)('hears the digits of a WAV file of %i Hz, each where it is', async (rateHz) => {
    const found = await heard(file(`${rateHz}.wav`, writeWav(keyed('17#', rateHz), rateHz)));
    expect(digitsOf(found)).toBe('17#');
    for (const [n, { startMs, endMs }] of found.tones.entries()) {
      expect(Math.abs(startMs - n * 150)).toBeLessThan(6);
      expect(Math.abs(endMs - startMs - 80)).toBeLessThan(8);
    }
  });

  it('hears what either channel of a stereo file holds', async () => {
    const digits = keyed('42', 8000);
    const path = file('stereo.wav', stereoWav(digits, new Int16Array(digits.length), 8000));
    expect(digitsOf(await heard(path))).toBe('42');
  });

  it('hears each channel by itself, also what would cancel the other out', async () => {
    const digits = keyed('42', 16_000);
    const others = digits.map((sample) => -sample);
    const wav = file('opposed.wav', stereoWav(digits, others, 16_000));
    const both = Int16Array.from({ length: 2 * digits.length }, (_, n) =>
      n % 2 === 0 ? digits[n / 2]! : (keyed('59', 16_000)[(n - 1) / 2] ?? 0),
    );
    const packets = encodeFrames(engine, both, {
      ...{
        sampleRateHz: 16_000,
        channels: 2,
        bitrateBps: 96_000,
        dtx: false,
        application: 'audio',
      },
    });
    const opus = file('two.opus', await writeOggOpus({ packets, channels: 2, preSkip: 312 }));
    const { code, stdout } = await run(wav, opus, '--json', '--channels', 'each');
    expect(code).toBe(0);
    const found = lines(stdout);
    expect(found.map(({ channel, channels }) => `${channel} of ${channels}`)).toEqual([
      ...['1 of 2', '2 of 2', '1 of 2', '2 of 2'],
    ]);
    expect(found.map(digitsOf)).toEqual(['42', '42', '42', '59']);
    expect(await heard(wav)).toMatchObject({ channels: 2, channel: null, tones: [] });
    expect(analysisTable(await heard(wav))).toContain('s, 2 channels averaged');
  });

  it('hears standard input, of which nobody said how long it is', async () => {
    const whole = writeWav(keyed('3', 8000), 8000);
    // As one that was ended before it could say how long its file is.
    new DataView(whole.buffer).setUint32(40, 0, true);
    const { code, stdout } = await runEarshotWith({ input: whole }, 'analyze', '-', '--json');
    expect(code).toBe(0);
    expect(lines(stdout)).toMatchObject([{ file: '-', isWhole: false, tones: [{ digit: '3' }] }]);
  });

  it('says when not all of a file was there to be heard', async () => {
    const ogg = readFileSync(`${MEETING}ada.opus`);
    const cases = [
      [file('whole.opus', ogg), true],
      [file('cut.opus', ogg.subarray(0, 20_000)), false],
      [file('spoiled.opus', Buffer.concat([ogg.subarray(0, 10_000), ogg.subarray(10_009)])), false],
      [file('cut.wav', writeWav(keyed('1', 8000), 8000).subarray(0, 2000)), false],
    ] as const;
    for (const [path, isWhole] of cases) expect(await heard(path)).toMatchObject({ isWhole });
    expect(analysisTable(await heard(cases[1][0]))).toMatch(
      /cut\.opus {2}\d+\.\d\d s, not whole\n/,
    );
  });

  it.each([
    ['packets of 20 ms', 1],
    ['stereo', 2],
  ] as const)('hears an Ogg Opus file of %s', async (_, channels) => {
    const mono = keyed('09*', 16_000);
    const pcm = Int16Array.from(
      { length: mono.length * channels },
      (_, n) => mono[Math.floor(n / channels)]!,
    );
    const options = {
      sampleRateHz: 16_000,
      channels,
      bitrateBps: 24_000,
      dtx: true,
      application: 'voip',
    } as const;
    const packets = encodeFrames(engine, pcm, options);
    const path = file(
      `${channels}.opus`,
      await writeOggOpus({ packets, preSkip: 312, inputSampleRateHz: 16_000 }),
    );
    const found = await heard(path);
    expect(digitsOf(found)).toBe('09*');
    expect(Math.abs(found.tones[1]!.startMs - 150)).toBeLessThan(6);
    expect(found.durationMs).toBe(packets.length * 20 - 6.5);
  });

  it('ends with an Ogg Opus file of packets that hold nothing, however many', async () => {
    const packets = encodeFrames(engine, keyed('7', 16_000), {
      ...{ sampleRateHz: 16_000, channels: 1, bitrateBps: 24_000, dtx: false, application: 'voip' },
    } as const);
    const ogg = await writeOggOpus({ packets, preSkip: 312, inputSampleRateHz: 16_000 });
    // Behind the two pages of headers: 120 pages of 255 packets of no bytes.
    const at = secondPageEnd(ogg);
    const empty = new Uint8Array(27 + 255);
    empty.set(ogg.subarray(0, 27));
    empty[5] = 0;
    empty[26] = 255;
    const parts = [
      ogg.subarray(0, at),
      ...Array.from({ length: 120 }, () => empty),
      ogg.subarray(at),
    ];
    expect(digitsOf(await heard(file('empty.opus', Buffer.concat(parts))))).toBe('7');
  });

  it('hears any digits of any rate, and gives the same again', async () => {
    const digits = fc.string({ unit: fc.constantFrom(...DIGITS), minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(digits, fc.constantFrom(...RATES_HZ), async (keys, rateHz) => {
        const path = file('any.wav', writeWav(keyed(keys, rateHz), rateHz));
        const found = await heard(path);
        expect(digitsOf(found)).toBe(keys);
        expect(await heard(path)).toEqual(found);
      }),
      { numRuns: 25 },
    );
  });

  it('tells by a code what is wrong with a file, whatever it is', async () => {
    const whole = writeWav(keyed('5', 8000), 8000);
    const spoiled = fc.tuple(
      fc.array(fc.tuple(fc.nat(47), fc.nat(255)), { maxLength: 6 }),
      fc.nat(whole.length),
    );
    await fc.assert(
      fc.asyncProperty(spoiled, async ([changes, length]) => {
        const bytes = whole.slice();
        for (const [at, value] of changes) bytes[at] = value;
        const path = file('spoiled.wav', bytes.subarray(0, length));
        await analyzer.analyze(path).catch((error: unknown) => {
          expect(error).toBeInstanceOf(CodedError);
        });
      }),
      { numRuns: 200 },
    );
  });

  it('reads the others when one is none, prints a line of JSON each, and fails', async () => {
    const wav = file('one.wav', writeWav(keyed('8', 8000), 8000));
    const text = file('text.wav', new TextEncoder().encode('no sound at all'));
    const { code, stdout, stderr } = await run(wav, text, join(folder, 'none.wav'), wav, '--json');
    expect(code).toBe(1);
    const expected = {
      file: wav,
      durationMs: 150,
      tones: [{ digit: '8', kind: 'dtmf' }],
      speech: [],
      phrases: [],
    };
    expect(lines(stdout)).toMatchObject([expected, expected]);
    expect(stderr).toMatch(/text\.wav.*\[unsupported_audio_file\]/);
    expect(stderr).toContain('earshot: Convert it: ffmpeg -i FILE');
    expect(stderr).toMatch(/none\.wav.*\[audio_file_unreadable\]/);
    expect(stderr).toContain('4 files, 2 failed');
  });

  it('hears the sample meeting as it was made', async () => {
    const { participants }: Meeting = JSON.parse(readFileSync(`${MEETING}meeting.json`, 'utf8'));
    const files = participants.map(({ audio }) => MEETING + audio);
    const { code, stdout } = await run(...files, '--json');
    expect(code).toBe(0);
    const found = lines(stdout);
    for (const [n, { digits, joinAtMs }] of participants.entries()) {
      const { tones } = found[n]!;
      expect(tones.map(({ digit }) => digit)).toEqual(digits.map(({ digit }) => digit));
      for (const [i, { startMs }] of digits.entries()) {
        expect(Math.abs(tones[i]!.startMs + joinAtMs - startMs)).toBeLessThan(15);
      }
    }
  });

  it('tells other tones that are asked for, through Opus too', async () => {
    const pcm = Int16Array.from({ length: 16_000 * 2 }, (_, n) =>
      n >= 8000 && n < 14_400 ? Math.round(5000 * Math.sin((2 * Math.PI * 1000 * n) / 16_000)) : 0,
    );
    const packets = encodeFrames(engine, pcm, {
      ...{ sampleRateHz: 16_000, channels: 1, bitrateBps: 24_000, dtx: true, application: 'voip' },
    });
    const opus = await writeOggOpus({ packets, preSkip: 312, inputSampleRateHz: 16_000 });
    const files = [file('beep.wav', writeWav(pcm, 16_000)), file('beep.opus', opus)];
    const beep = { tones: [{ kind: 'beep', digit: null }] };
    const told = await run(...files, '--json', '--tones', 'beep,sit');
    expect(lines(told.stdout)).toMatchObject([beep, beep]);
    const others = await run(...files, '--json', '--tones', 'busy');
    expect(lines(others.stdout)).toMatchObject([{ tones: [] }, { tones: [] }]);
    const wrong = await run(...files, '--tones', 'beep,boop');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('it must be all, or of beep, faxCng');
  });

  it('finds phrases and the sentences of a grammar, and none where none was spoken', async () => {
    const grammar = file('codes.gram', Buffer.from(GRAMMAR));
    const asked = [
      '--phrase',
      'good morning',
      '--phrase',
      'launch the rocket',
      '--grammar',
      grammar,
    ];
    const keys = ['ada', 'caller'];
    const { code, stdout } = await run(
      ...keys.map((key) => `${MEETING}${key}.opus`),
      '--json',
      ...asked,
    );
    expect(code).toBe(0);
    const found = lines(stdout);
    expect(found.map(({ phrases }) => phrases.map(({ phrase }) => phrase))).toEqual([
      ['good morning'],
      ['an access code'],
    ]);
    const { speech, phrases } = found[1]!;
    const [phrase] = phrases;
    expect(
      speech.some(
        ({ startMs, endMs }) => startMs - 300 <= phrase!.startMs && phrase!.endMs <= endMs + 300,
      ),
    ).toBe(true);
    expect(phrase!.confidence).toBeGreaterThanOrEqual(0.5);
  });

  it.each([
    ['a grammar that is not there', ['--grammar', 'none.gram'], 'grammar_unreadable'],
    ['a phrase that has no sound', ['--phrase', '%%%'], 'phrase_unpronounceable'],
    [
      'a language that nobody knows',
      ['--phrase', 'hei', '--language', 'fi'],
      'language_unsupported',
    ],
  ])('refuses %s before any file', async (_, options, expected) => {
    const { code, stdout, stderr } = await run(`${MEETING}ada.opus`, ...options);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(`[${expected}]`);
  });

  it('prints when and what, to be read', async () => {
    const { code, stdout } = await run(`${MEETING}caller.opus`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\S+caller\.opus {2}\d+\.\d\d s\n/);
    expect(stdout).toMatch(/^ +\d+\.\d\d – +\d+\.\d\d s {2}tone {4}1$/m);
    expect(stdout).toMatch(/s {2}speech$/m);
  });
});

interface Meeting {
  readonly participants: readonly {
    readonly audio: string;
    readonly joinAtMs: number;
    readonly digits: readonly { readonly digit: string; readonly startMs: number }[];
  }[];
}
