import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cuesOf, TranscriptAssembler } from '../src/index.js';
import { finalEvent, gapEvent, skippedEvent, textOf } from './support.js';

function cuesOfEvents(...events: Parameters<TranscriptAssembler['add']>[0][]) {
  const assembler = new TranscriptAssembler('c_1');
  for (const event of events) assembler.add(event);
  return cuesOf(assembler.transcript);
}

const LONG = textOf(
  'we shall meet on Tuesday at nine in the large room on the second floor and whoever cannot come may call in from wherever they are',
  1000,
);

describe('cues', () => {
  it('are of two lines and 7 s at most, split by word times', () => {
    const cues = cuesOfEvents(finalEvent(LONG));
    expect(cues[0]).toEqual({
      startMs: 1000,
      endMs: 7900,
      speaker: 'Ada',
      lines: ['we shall meet on Tuesday at nine in the', 'large room on the second'],
    });
    expect(cues[1]?.startMs).toBe(8000);
  });

  it('have all words, in order, each once, whatever was said', () => {
    const words = fc.array(fc.stringMatching(/^[a-zäß,.'"]{1,60}$/), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(words, fc.boolean(), (spoken, hasTimes) => {
        const data = textOf(spoken.join(' '), 500);
        const cues = cuesOfEvents(finalEvent({ ...data, words: hasTimes ? data.words : [] }));
        const shown = cues.flatMap(({ lines }) => lines).join(' ');
        expect(shown.replaceAll(' ', '')).toBe(data.text.replaceAll(' ', ''));
        let lastMs = 0;
        for (const { startMs, endMs, lines } of cues) {
          expect(lines.length).toBeLessThanOrEqual(2);
          for (const line of lines) expect(line.length).toBeLessThanOrEqual(42);
          expect(endMs).toBeGreaterThan(startMs);
          expect(startMs).toBeGreaterThanOrEqual(lastMs);
          lastMs = startMs;
        }
      }),
    );
  });

  it('show what was lost and what was skipped', () => {
    const cues = cuesOfEvents(
      finalEvent(textOf('call me back', 1000)),
      gapEvent(1400, 800),
      gapEvent(5000, 1500),
      skippedEvent(8000, 9000),
    );
    expect(cues.map(({ lines }) => lines)).toEqual([
      ['call me [lost 0.8 s] back'],
      ['[lost 1.5 s]'],
      ['[not transcribed]'],
    ]);
  });
});
