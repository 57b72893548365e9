import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DetectedTone } from '../src/index.js';
import { DIGITS, DtmfDetector, generateSequence, TONE_STATE_NUMBERS } from '../src/index.js';
import { digitsOf, randomSource } from './signal.js';

const FRAME = 320;
/** Frames that hold the 40 ms of sound which a detector looks back on. */
const BEFORE = 3;

const PCM = ((): Int16Array => {
  const shape = { toneMs: 70, pauseMs: 45, sampleRateHz: 16_000 } as const;
  const long = generateSequence({ digits: '5', toneMs: 400, pauseMs: 50, sampleRateHz: 16_000 });
  const short = generateSequence({ digits: DIGITS.join(''), ...shape });
  const random = randomSource(3);
  // Quiet enough, and soon enough after the 5, to be an echo of it.
  const echo = { digits: '5', toneMs: 60, pauseMs: 40, sampleRateHz: 16_000, levelDbfs: -38 };
  const pcm = new Int16Array(short.length + long.length + 1600);
  pcm.set(short);
  pcm.set(long, short.length);
  pcm.set(generateSequence(echo), short.length + long.length);
  const whole = Math.floor(pcm.length / FRAME) * FRAME;
  return pcm.map((sample) => sample + Math.round((random() - 0.5) * 200)).subarray(0, whole);
})();
const FRAMES = PCM.length / FRAME;

function detector(): { readonly tones: DetectedTone[]; readonly dtmf: DtmfDetector } {
  const tones: DetectedTone[] = [];
  const dtmf = new DtmfDetector({ sampleRateHz: 16_000, onTone: (tone) => tones.push(tone) });
  return { tones, dtmf };
}

/** Plays the frames `[from, to)` but those lost. */
function play(dtmf: DtmfDetector, from: number, to: number, lost: ReadonlySet<number>): void {
  for (let n = from; n < to; n += 1) {
    if (lost.has(n)) dtmf.gap(20);
    else dtmf.process(PCM.subarray(n * FRAME, (n + 1) * FRAME), n * 20);
  }
}

describe('a detector that goes on where another was', () => {
  it('reports what that one would have reported, wherever it was', () => {
    fc.assert(
      fc.property(
        fc.nat(FRAMES),
        fc.uniqueArray(fc.nat(FRAMES), { maxLength: 8 }),
        (cut, missing) => {
          const lost = new Set(missing);
          const first = detector();
          play(first.dtmf, 0, cut, lost);
          const before = first.tones.length;
          const state = new Float64Array(TONE_STATE_NUMBERS + 2).fill(7);
          expect(first.dtmf.save(state, 1)).toBe(TONE_STATE_NUMBERS + 1);
          expect([state[0], state.at(-1)]).toEqual([7, 7]);

          const second = detector();
          play(second.dtmf, Math.max(0, cut - BEFORE), cut, lost);
          second.tones.length = 0;
          expect(second.dtmf.restore(state, 1)).toBe(TONE_STATE_NUMBERS + 1);
          expect(second.dtmf.toneActive).toBe(first.dtmf.toneActive);
          for (const { dtmf } of [first, second]) {
            play(dtmf, cut, FRAMES, lost);
            dtmf.discontinuity();
          }
          expect(first.tones.length).toBeGreaterThan(5);
          expect(second.tones).toEqual(first.tones.slice(before));
          if (lost.size === 0) expect(digitsOf(first.tones)).toBe(`${DIGITS.join('')}5`);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('ends whatever tone, also one that was spoiled on its way', () => {
    const state = fc.array(fc.oneof(fc.double(), fc.integer({ min: -2, max: 5 })), {
      minLength: TONE_STATE_NUMBERS,
      maxLength: TONE_STATE_NUMBERS,
    });
    // So large a time that 5 ms more make no difference; a tone was heard just before it.
    const stuckMs = fc.option(fc.constantFrom(2 ** 53, 2 ** 60, -(2 ** 60), Number.MAX_VALUE), {
      nil: undefined,
    });
    fc.assert(
      fc.property(state, fc.boolean(), stuckMs, (numbers, awake, timeMs) => {
        const { tones, dtmf } = detector();
        const spoiled = Float64Array.from(numbers);
        spoiled[0] = awake ? 1 : 0;
        spoiled[7] = 1;
        if (timeMs !== undefined) spoiled[4] = spoiled[10] = timeMs;
        dtmf.restore(spoiled, 0);
        play(dtmf, 0, 10, new Set());
        dtmf.discontinuity();
        expect(dtmf.toneActive).toBe(false);
        for (const { digit } of tones) expect(DIGITS).toContain(digit);
      }),
    );
  });
});
