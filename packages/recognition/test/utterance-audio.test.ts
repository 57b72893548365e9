import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UtteranceAudio } from '../src/utterance-audio.js';

const parts = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('sound' as const), ms: fc.integer({ min: 1, max: 500 }) }),
    fc.record({ kind: fc.constant('gap' as const), ms: fc.integer({ min: 1, max: 5000 }) }),
  ),
  { maxLength: 20 },
);

test('what is replayed from any sample has the same samples at the same media times', () => {
  fc.assert(
    fc.property(parts, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
      const audio = new UtteranceAudio(1000, 60_000);
      let next = 0;
      for (const { kind, ms } of all) {
        if (kind === 'gap') audio.gap(ms);
        else audio.append(Int16Array.from({ length: ms * 16 }, () => next++ % 30_000));
      }
      const from = Math.floor(share * audio.length);
      const again = new UtteranceAudio(audio.mediaMsAt(from), 60_000);
      audio.replay(from, {
        push: (pcm) => again.append(pcm),
        gap: (durationMs) => again.gap(durationMs),
      });
      expect(again.length).toBe(audio.length - from);
      expect(again.slice(0, again.length)).toEqual(audio.slice(from, audio.length));
      for (let sample = from; sample < audio.length; sample += 1009) {
        expect(again.mediaMsAt(sample - from)).toBeCloseTo(audio.mediaMsAt(sample), 6);
        expect(audio.sampleAt(audio.mediaMsAt(sample))).toBe(sample);
      }
      expect(again.endMs).toBeCloseTo(audio.endMs, 6);
    }),
    { numRuns: 60 },
  );
});

test('it is bounded', () => {
  const audio = new UtteranceAudio(0, 10);
  expect(audio.append(new Int16Array(160))).toBe(true);
  expect(audio.append(new Int16Array(1))).toBe(false);
  expect(audio.length).toBe(160);
});
