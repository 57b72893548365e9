import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TranscriptEvent } from '../src/index.js';
import { assembleTranscripts, isTranscriptEvent, TranscriptAssembler } from '../src/index.js';
import {
  ENVELOPE,
  finalEvent,
  gapEvent,
  namedEvent,
  partialEvent,
  skippedEvent,
  textOf,
} from './support.js';

function transcriptOf(events: readonly TranscriptEvent[]) {
  const assembler = new TranscriptAssembler('c_1');
  for (const event of events) assembler.add(event);
  return assembler.transcript;
}

const FIRST = textOf('call me back please', 1000);
const SECOND = textOf('and what about Tuesday', 9000);

/** All that can be told of a call, some of it by two owners. */
const EVENTS: readonly TranscriptEvent[] = [
  partialEvent(textOf('call me', 1000), 1),
  partialEvent(textOf('call me black', 1000), 2),
  finalEvent(FIRST),
  finalEvent(textOf('call me bag please', 1000), { epoch: 2 }),
  finalEvent(textOf('call me back, please', 1000), { epoch: 2 }),
  skippedEvent(5000, 6000),
  partialEvent(SECOND, 1),
  partialEvent(textOf('and what about', 9000), 4),
  gapEvent(1400, 300),
  gapEvent(1600, 400),
  gapEvent(4000, 700),
  gapEvent(4000 + 2000, 20),
  namedEvent('Ada L.', '2026-01-01T00:01:00.000Z'),
  namedEvent('Ada Lovelace', '2026-01-01T00:02:00.000Z'),
  {
    ...ENVELOPE,
    id: 'missing',
    type: 'transcript.notRecorded',
    participant: null,
    sourceId: null,
    data: { utterances: 3, beforeMs: 900 },
  },
];

describe('the transcript of a call', () => {
  it('has finals instead of their partials, in order, with the newest name', () => {
    const { utterances } = transcriptOf([
      finalEvent(SECOND),
      namedEvent('Ada Lovelace', '2026-01-01T00:02:00.000Z'),
      partialEvent(textOf('call me', 1000), 1),
      finalEvent(FIRST),
      finalEvent(FIRST),
    ]);
    expect(utterances.map(({ text }) => text)).toEqual([FIRST.text, SECOND.text]);
    expect(utterances[0]).toMatchObject({
      participant: { id: 'p_ada', displayName: 'Ada Lovelace' },
      startMs: 1000,
      engine: 'test',
      language: 'en-US',
      skipped: null,
      isPartial: false,
      gaps: [],
    });
  });

  it('has the newest partial while there is no final', () => {
    const late = partialEvent(textOf('call me', 1000), 2);
    const early = partialEvent(textOf('cow', 1000), 1);
    expect(transcriptOf([late, early]).utterances).toMatchObject([
      { text: 'call me', isPartial: true },
    ]);
  });

  it('says what was skipped, with what was understood before', () => {
    const [utterance] = transcriptOf([
      skippedEvent(1000, 4000),
      partialEvent(textOf('call me', 1000), 1),
    ]).utterances;
    expect(utterance).toMatchObject({
      skipped: 'overCapacity',
      text: 'call me',
      endMs: 4000,
      isPartial: false,
    });
    expect(transcriptOf([skippedEvent(1000, 4000), finalEvent(FIRST)]).utterances).toMatchObject([
      { skipped: null, text: FIRST.text },
    ]);
  });

  it('has no part in phrases that were not listened for', () => {
    const skipped = skippedEvent(1000, 4000);
    const data = { ...skipped.data, task: 'phrases' as const, utteranceId: 'p_1000' };
    const ofPhrases = { ...skipped, id: 'p_1000.skipped', data };
    const idsOf = (events: readonly TranscriptEvent[]) =>
      transcriptOf(events).utterances.map(({ id }) => id);
    expect(idsOf([ofPhrases, finalEvent(FIRST)])).toEqual(['u_1000']);
    expect(idsOf([ofPhrases, skipped])).toEqual(['u_1000']);
    expect(idsOf([ofPhrases])).toEqual([]);
  });

  it('marks gaps that its utterances tell of, and those that they do not', () => {
    const told = { ...FIRST, gaps: [{ startMs: 1400, durationMs: 300 }] };
    const marked = transcriptOf([finalEvent(told), gapEvent(1450, 200), gapEvent(2400, 400)]);
    expect(marked.utterances[0]?.text).toBe('call [lost 0.3 s] me back [lost 0.4 s] please');
    expect(marked.lost).toEqual([]);
    const { lost } = transcriptOf([finalEvent(FIRST), gapEvent(6000, 700), gapEvent(7000, 20)]);
    expect(lost).toMatchObject([{ startMs: 6000, durationMs: 700, sourceId: '7' }]);
  });

  it('is the same for the same events in any order and any number', () => {
    const expected = transcriptOf(EVENTS);
    expect(expected.utterances.map(({ text }) => text)).toEqual([
      'call me [lost 0.6 s] bag please',
      '',
      'and what about',
    ]);
    const orders = fc.tuple(
      fc.shuffledSubarray([...EVENTS], { minLength: EVENTS.length }),
      fc.array(fc.constantFrom(...EVENTS)),
    );
    fc.assert(
      fc.property(orders, ([all, again]) => {
        expect(transcriptOf([...again, ...all])).toEqual(expected);
        expect(transcriptOf([...all, ...again])).toEqual(expected);
      }),
    );
  });

  it('is of one call alone', () => {
    const other = finalEvent(SECOND, { callId: 'c_2' });
    expect(transcriptOf([other]).utterances).toEqual([]);
    expect(assembleTranscripts([finalEvent(FIRST), other]).map(({ callId }) => callId)).toEqual([
      'c_1',
      'c_2',
    ]);
  });

  it('is made of some types of events', () => {
    expect(isTranscriptEvent({ type: 'transcript.final' })).toBe(true);
    expect(isTranscriptEvent({ type: 'tone.detected' })).toBe(false);
  });
});
