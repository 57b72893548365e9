import type { Transcript, Utterance } from '@earshot/transcript';
import { parse } from 'subsrt-ts';
import { describe, expect, it } from 'vitest';
import { exportTranscript } from '../src/index.js';

function utterance(more: Partial<Utterance>): Utterance {
  return {
    id: 'u',
    participant: { id: 'p_1', displayName: 'Ada' },
    sourceId: '7',
    startMs: 1000,
    endMs: 3500,
    text: 'call me back',
    words: [],
    engine: 'test',
    language: 'en-US',
    confidence: null,
    gaps: [],
    skipped: null,
    isPartial: false,
    ...more,
  };
}

function transcript(...utterances: readonly Partial<Utterance>[]): Transcript {
  return { callId: 'c_1', utterances: utterances.map(utterance), lost: [], notRecorded: [] };
}

describe('a transcript', () => {
  it('is WebVTT with voice spans', () => {
    const noName = { participant: null, startMs: 3_600_000, endMs: 3_601_000, text: 'yes' };
    expect(exportTranscript(transcript({}, noName), 'vtt')).toBe(
      [
        'WEBVTT',
        '',
        '1',
        '00:00:01.000 --> 00:00:03.500',
        '<v Ada>call me back</v>',
        '',
        '2',
        '01:00:00.000 --> 01:00:01.000',
        'yes',
        '',
        '',
      ].join('\n'),
    );
  });

  it('is SRT with names before the text', () => {
    expect(exportTranscript(transcript({}), 'srt')).toBe(
      '1\n00:00:01,000 --> 00:00:03,500\nAda: call me back\n\n',
    );
  });

  it('is JSON as it is', () => {
    const whole = transcript({});
    expect(JSON.parse(exportTranscript(whole, 'json'))).toEqual(whole);
  });

  it('cannot be broken by what is said, or by names', () => {
    const evil = transcript(
      {
        participant: { id: 'p', displayName: '<b>&\n\n5\r00:00:09.000 --> 00:00:10.000\nMallory' },
        text: 'a <c.red> --> b\u2028& {\\an8}\n\nNOTE c',
      },
      { participant: { id: 'p', displayName: ' ' }, text: '' },
    );
    const vtt = exportTranscript(evil, 'vtt');
    expect(vtt.match(/-->/g)).toHaveLength(1);
    expect(vtt).toContain(
      '<v &lt;b&gt;&amp; 5 00:00:09.000 --&gt; 00:00:10.000 Mallory>a &lt;c.red&gt; --&gt; b &amp;',
    );
    expect(parse(vtt, { format: 'vtt' }).filter(({ type }) => type === 'caption')).toHaveLength(1);
    const srt = exportTranscript(evil, 'srt');
    expect(srt.match(/-->/g)).toHaveLength(1);
    expect(srt).not.toMatch(/[<{]/);
    expect(parse(srt, { format: 'srt' })).toHaveLength(1);
  });
});
