import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CODEC } from '@earshot/bridge-protocol';
import { generateSequence } from '@earshot/dtmf';
import type { DecodeBatch, DecoderPool, SpeechModel } from '@earshot/media-session';
import { CLOSE_MODE } from '@earshot/media-session';
import { createOpusEngine, encodeFrames, opusPacketHasFec, readOggOpus } from '@earshot/opus';
import { createSpeechModel } from '@earshot/speech-model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SentFrame } from './loop-bench.js';
import { createPool, hearAlone, LoopBench, toFrames } from './loop-bench.js';
import { join, RATE_HZ, silence, voice } from './sound.js';

const engine = await createOpusEngine();
const DIGITS = generateSequence({ digits: '15', toneMs: 80, pauseMs: 80, sampleRateHz: RATE_HZ });
const PACKETS = encodeFrames(engine, join(silence(400), voice(700), DIGITS, silence(600)), {
  sampleRateHz: RATE_HZ,
  channels: 1,
  bitrateBps: 32_000,
  dtx: true,
  application: 'voip',
  fecLossPercent: 20,
});
const SOUND = toFrames(PACKETS);
const MEETING = fileURLToPath(new URL('../../sandbox/meeting/ada.opus', import.meta.url));
const SPOKEN = toFrames((await readOggOpus(MEETING)).packets);
const NOTHING = new Uint8Array(0);

const fate = fc.constantFrom('kept', 'kept', 'kept', 'kept', 'lost', 'damaged', 'silent', 'twice');
const journey: fc.Arbitrary<SentFrame[]> = fc
  .array(fate, { minLength: SOUND.length, maxLength: SOUND.length })
  .map((fates) => SOUND.flatMap((frame, n) => suffer(frame, fates[n] ?? 'kept')));

function suffer(frame: SentFrame, how: string): SentFrame[] {
  switch (how) {
    case 'lost':
      return [];
    case 'damaged':
      return [{ ...frame, payload: Uint8Array.of(0xff, 0xff, 0xff) }];
    case 'silent':
      return [{ ...frame, codec: CODEC.silence, payload: NOTHING }];
    case 'twice':
      return [frame, frame];
    default:
      return [frame];
  }
}

it('has sound with pauses left out, and copies of what was before', () => {
  expect(PACKETS.some((packet) => packet.length <= 2)).toBe(true);
  expect(PACKETS.some((packet) => opusPacketHasFec(packet, 0, packet.length))).toBe(true);
});

describe('a batch', () => {
  it('hears in each stream what the stream alone is heard as, however they mix', () => {
    fc.assert(
      fc.property(
        fc.array(journey, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(1, 2, 3, 8),
        fc.array(fc.record({ from: fc.nat(), frames: fc.integer({ min: 1, max: 40 }) }), {
          minLength: 10,
          maxLength: 60,
        }),
        (journeys, entries, script) => {
          const bench = new LoopBench({ streams: journeys.length, entries });
          const left = journeys.map((frames) => [...frames]);
          for (let n = 0; left.some((frames) => frames.length > 0); n += 1) {
            const { from, frames } = script[n % script.length]!;
            // Of those that have any left: otherwise one might never have its turn.
            const waiting = [...left.keys()].filter((key) => left[key]!.length > 0);
            const index = waiting[from % waiting.length]!;
            for (const frame of left[index]!.splice(0, frames)) bench.send(index, frame);
            if (n % 3 !== 0) bench.run();
            else bench.loop.turn();
          }
          journeys.forEach((_, index) => {
            bench.close(index, CLOSE_MODE.end, SOUND.length);
          });
          bench.run();
          journeys.forEach((frames, index) => {
            expect(bench.findings[index]).toEqual(hearAlone(frames, SOUND.length));
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  it('asks the speech model about all streams at once, and hears what it says of each', () => {
    const model = createSpeechModel({ capacity: 20 });
    let windows = 0;
    let due = 0;
    let runs = 0;
    const counting: SpeechModel = {
      stateWords: model.stateWords,
      acquire: () => {
        const stream = model.acquire();
        const { push } = stream;
        stream.push = (pcm) => {
          push.call(stream, pcm);
          if (stream.isDue) due += 1;
        };
        return stream;
      },
      run: () => {
        windows += due;
        if (due > 0) runs += 1;
        due = 0;
        model.run();
      },
    };
    const bench = new LoopBench({ streams: 12, entries: 4, speechModel: counting });
    const spoken = SPOKEN.slice(0, 500);
    for (const [n, frame] of spoken.entries()) {
      for (let index = 0; index < 12; index += 1) bench.send(index, frame);
      if (n % 3 === 0) bench.run();
    }
    for (let index = 0; index < 12; index += 1) bench.close(index, CLOSE_MODE.end, 500);
    bench.run();
    const alone = hearAlone(spoken, 500, createSpeechModel({ capacity: 1 }));
    expect(alone.filter(({ kind }) => kind === 'speechEnded').length).toBeGreaterThan(0);
    for (const findings of bench.findings) expect(findings).toEqual(alone);
    expect(windows / runs).toBeGreaterThan(3);
    expect(model.inUse).toBe(0);
  });

  it('recovers what a lossy path took, but for what went in a row', () => {
    const bench = new LoopBench({ streams: 1 });
    for (const frame of SOUND.filter((_, n) => n % 4 !== 3)) {
      bench.send(0, frame);
      bench.run();
    }
    const { framesMissing, framesRecovered, framesConcealed } = bench.counters[0]!.totals();
    expect(framesMissing).toBe(Math.floor(SOUND.length / 4));
    expect(framesRecovered).toBeGreaterThan(framesMissing / 3);
    expect(framesConcealed).toBeGreaterThanOrEqual(framesRecovered);
  });

  it('decodes nothing of streams that nobody listens to, and counts all of them', () => {
    const pool = createPool(3, 4);
    const bench = new LoopBench({ streams: 3, decoders: pool, listening: 'none' });
    for (const frame of SOUND.filter((_, n) => n !== 30)) {
      for (const index of [0, 1, 2]) bench.send(index, frame);
      bench.run();
    }
    expect(pool.inUse).toBe(0);
    for (const counters of bench.counters) {
      const totals = counters.totals();
      expect(totals).toMatchObject({ framesDecoded: 0, framesMissing: 1, framesConcealed: 0 });
      expect(totals.framesUnheard + totals.framesSilent).toBe(SOUND.length - 1);
    }
  });
});

describe('overload', () => {
  it('drops the oldest of the stream that it befalls, to the frame, and of no other', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 4, maxLength: 12 }),
        (bursts) => {
          const ringFrames = 8;
          const bench = new LoopBench({ streams: 3, ringFrames });
          const next = [0, 0, 0];
          let dropped = 0;
          for (const burst of bursts) {
            for (const [index, frames] of [burst, 3, ringFrames].entries()) {
              for (let n = 0; n < frames; n += 1) {
                const sequence = next[index]!++;
                bench.send(index, { ...SOUND[sequence % SOUND.length]!, sequence });
              }
            }
            dropped += Math.max(0, burst - ringFrames);
            bench.run();
          }
          next.forEach((sent, index) => {
            bench.close(index, CLOSE_MODE.end, sent);
          });
          bench.run();
          const totals = bench.counters.map((counters) => counters.totals());
          expect(totals.map((t) => t.framesDropped)).toEqual([dropped, 0, 0]);
          expect(totals.map((t) => t.framesReceived + t.framesDropped)).toEqual(next);
          expect(totals.map((t) => t.framesMissing)).toEqual([0, 0, 0]);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('by one stream holds up no other: a turn takes 32 of it, and one of each in a round', () => {
    const bench = new LoopBench({ streams: 40, ringFrames: 128 });
    for (const frame of SOUND.slice(0, 90)) bench.send(0, frame);
    for (let index = 1; index < 40; index += 1) {
      for (const frame of SOUND.slice(0, 3)) bench.send(index, frame);
    }
    bench.loop.turn();
    const received = bench.counters.map((counters) => counters.get('received'));
    // 40 streams of one a round: commands are looked for after some thousand records.
    expect(received[0]).toBeLessThanOrEqual(32);
    expect(received.slice(1)).toEqual(Array.from({ length: 39 }, () => 3));
    expect(bench.run()).toBeGreaterThan(1);
    expect(bench.counters[0]!.get('received')).toBe(90);
  });

  it('by all streams ends a turn in time for commands', () => {
    const streams = 600;
    const bench = new LoopBench({ streams, ringFrames: 8, listening: 'none' });
    for (let index = 0; index < streams; index += 1) {
      for (const frame of SOUND.slice(0, 8)) bench.send(index, frame);
    }
    bench.loop.turn();
    const taken = bench.counters.reduce((sum, counters) => sum + counters.get('received'), 0);
    expect(taken).toBe(2 * streams);
    bench.run();
    expect(bench.counters.every((counters) => counters.get('received') === 8)).toBe(true);
  });
});

describe('a stream whose pipeline throws', () => {
  function expectOthersHeard(bench: LoopBench, failed: number): void {
    const alone = hearAlone(SOUND, SOUND.length);
    for (const [index, findings] of bench.findings.entries()) {
      if (index !== failed) expect(findings).toEqual(alone);
    }
    expect(bench.failures).toHaveLength(1);
    expect(bench.findings[failed]!.at(-1)?.kind).toBe('closed');
  }

  function playAll(bench: LoopBench): void {
    for (const frame of SOUND) {
      for (const index of bench.writers.keys()) bench.send(index, frame);
      bench.run();
    }
    for (const index of bench.writers.keys()) bench.close(index, CLOSE_MODE.end, SOUND.length);
    bench.run();
  }

  it('before decoding is closed, and the others of its round are heard', () => {
    const bench = new LoopBench({ streams: 3, decoders: createPool(2, 4) });
    playAll(bench);
    expect(bench.failures[0]).toContain('in use');
    expectOthersHeard(bench, 2);
  });

  it('after decoding is closed with the numbers that were true before, others are heard', () => {
    const pool = createPool(3, 4);
    const bench = new LoopBench({ streams: 3, decoders: spoiling(pool, 40, 1) });
    playAll(bench);
    expectOthersHeard(bench, 1);
    expect(bench.failures[0]).toContain('320 samples');
    expect(pool.inUse).toBe(0);
    const totals = bench.counters[1]!.totals();
    expect(totals.framesReceived).toBe(totals.framesDecoded + totals.framesSilent);
    expect(totals.framesDropped).toBe(1);
    expect(bench.counters[1]!.get('expected')).toBe(totals.framesReceived + totals.framesDropped);
  });
});

/** The pool, but at the `nth` full batch the PCM of one entry is too short for anyone. */
function spoiling(pool: DecoderPool, nth: number, entry: number): DecoderPool {
  const pcm = [...pool.batch.pcm];
  const good = pcm[entry]!;
  let runs = 0;
  const batch: DecodeBatch = {
    entries: pool.batch.entries,
    packets: pool.batch.packets,
    pcm,
    results: pool.batch.results,
    set: (index, decoder, length) => {
      pcm[entry] = good;
      pool.batch.set(index, decoder, length);
    },
    run: (count) => {
      pool.batch.run(count);
      runs += 1;
      if (runs === nth) pcm[entry] = good.subarray(1);
    },
  };
  return { batch, acquire: () => pool.acquire() };
}

describe('what a turn tells', () => {
  it('is how old each frame was when its findings were out', () => {
    const bench = new LoopBench({ streams: 2 });
    bench.micros = 0x7fff_ff00 | 0;
    bench.send(0, SOUND[0]!);
    bench.send(1, { ...SOUND[0]!, codec: CODEC.silence, payload: NOTHING });
    bench.micros = (bench.micros + 3000) | 0;
    bench.run();
    const latencies = bench.latencies.read();
    expect([latencies.count, latencies.sumMicros]).toEqual([2, 6000]);
  });

  it('is progress, at the latest when eager streams have nothing left', () => {
    const bench = new LoopBench({ streams: 2 });
    bench.send(1, SOUND[0]!);
    bench.run();
    expect(bench.progress).toBe(0);
    bench.send(0, SOUND[0]!);
    bench.run();
    expect(bench.progress).toBe(1);
    for (const frame of SOUND.slice(1, 60)) bench.send(0, frame);
    bench.run();
    expect(bench.progress).toBe(2);
  });
});

describe('the hot path', () => {
  it('makes no object: the garbage collector sleeps through 100 000 frames', async () => {
    const script = fileURLToPath(new URL('./steady-state.mjs', import.meta.url));
    const young = ['--min-semi-space-size=16', '--max-semi-space-size=16'];
    // Else what V8 compiles together, and so which numbers it boxes on the way, is up to the clock.
    const settled = [
      '--no-concurrent-recompilation',
      '--max-inlined-bytecode-size=4000',
      '--max-inlined-bytecode-size-cumulative=8000',
    ];
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--expose-gc',
      ...young,
      ...settled,
      script,
    ]);
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ collections: 0, posted: 0 });
    expect(told.frames).toBeGreaterThanOrEqual(100_000);
    // Two numbers, of 16 bytes each, are boxed, and in some frames a third: an object a frame would be more.
    expect(told.bytesPerFrame).toBeLessThan(48);
  });
});
