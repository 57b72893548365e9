import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Paint } from '../src/live-frame.js';
import { formatMediaTime, renderFrame } from '../src/live-frame.js';
import { LiveModel } from '../src/live-model.js';
import { plainLine } from '../src/plain-lines.js';
import { event, phrase, SHORT_CALL } from './fixtures.js';

const as = (text: string): string => text;
const PLAIN: Paint = { bold: as, dim: as, red: as, green: as, yellow: as, cyan: as };

function render(columns = 64): string {
  const model = new LiveModel('c_1');
  for (const each of SHORT_CALL) model.apply(each);
  const notes = ['Ctrl-C ends everything.'];
  return renderFrame(
    { title: 'Earshot', model, notes, columns, nowMs: 10_000, timelineMs: 10_000 },
    PLAIN,
  );
}

describe('renderFrame', () => {
  it('draws speech, the lost frames and the digit where they were', () => {
    expect(render().split('\n')).toEqual([
      'Earshot  0:10.0  establishing → established → terminated',
      '',
      // 31 columns for 10 s: speech from column 3 to 12, the gap at 4, the digit at 18.
      'Ada             ░░░░░░░░░░     ───█×████████─────5────────────',
      '',
      '1 talkspurt · 1 tone · 1 gap (3 frames lost) · 10 events consumed · ended: normal',
      '',
      'Ctrl-C ends everything.',
    ]);
  });

  it('draws every digit of those keyed faster than a column', () => {
    const model = new LiveModel('c_1');
    const [tone] = SHORT_CALL.filter(({ type }) => type === 'tone.detected');
    for (let i = 0; tone !== undefined && i < 3; i += 1) model.apply(tone);
    const input = {
      title: 'Earshot',
      model,
      notes: [],
      columns: 64,
      nowMs: 10_000,
      timelineMs: 10_000,
    };
    expect(renderFrame(input, PLAIN)).toContain('─555');
  });

  it('shows the newest phrases below their speaker, as many as fit', () => {
    const model = new LiveModel('c_1');
    for (const each of SHORT_CALL) model.apply(each);
    for (const [index, text] of ['take a note', 'next item', 'stop it'].entries()) {
      model.apply(event('phrase.recognized', phrase(text, 2000 * (index + 1))));
    }
    const input = { title: '', model, notes: [], columns: 70, nowMs: 10_000, timelineMs: 10_000 };
    const lines = renderFrame(input, PLAIN).split('\n');
    expect(lines[3]?.trim()).toBe('0:04.0 “next item”  0:06.0 “stop it”');
    expect(lines.join()).toContain('1 tone · 3 phrases');
    expect(plainLine(event('phrase.recognized', phrase('stop it', 6000)))).toContain(
      'Ada said "stop it"',
    );
  });

  it('draws at any width (property)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), (columns) => {
        expect(render(columns)).toContain('5');
      }),
    );
  });
});

describe('formatMediaTime', () => {
  it.each([
    [0, '0:00.0'],
    [61_550, '1:01.5'],
    [3_600_000, '60:00.0'],
  ])('shows %s ms as %s', (timeMs, text) => expect(formatMediaTime(timeMs)).toBe(text));
});

describe('plainLine', () => {
  it('tells the call in lines', () => {
    expect(SHORT_CALL.map(plainLine).filter((line) => line !== undefined)).toEqual([
      'Ada joined',
      'call establishing → established',
      '0:01.5 Ada: 3 frames lost',
      '0:04.3 Ada spoke for 3000 ms',
      '0:06.1 Ada keyed 5 (120 ms)',
      '0:10.0 media stopped: 500 frames received, 3 lost',
      'call established → terminated',
      'call ended: normal',
    ]);
  });
});
