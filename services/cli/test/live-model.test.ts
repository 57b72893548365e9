import { describe, expect, it } from 'vitest';
import { LiveModel } from '../src/live-model.js';
import { summarise } from '../src/summary.js';
import { event, phrase, SHORT_CALL } from './fixtures.js';

function modelOf(events = SHORT_CALL): LiveModel {
  const model = new LiveModel('c_1');
  for (const each of events) model.apply(each);
  return model;
}

describe('LiveModel', () => {
  it('follows a call from its events', () => {
    const model = modelOf();
    const ada = model.participants.get('p-ada');
    expect(model.states).toEqual(['establishing', 'established', 'terminated']);
    expect(ada?.talkspurts).toEqual([{ startMs: 1000, endMs: 4000 }]);
    expect([model.gapCount, model.missingFrames, model.mediaTimeMs]).toEqual([1, 3, 10_000]);
    expect(model.finished).toBe(true);
  });

  it('is not finished before the totals of its media are known', () => {
    const model = modelOf(SHORT_CALL.filter(({ type }) => type !== 'media.stopped'));
    expect(model.finished).toBe(false);
  });

  it('is finished without totals when the call never had media', () => {
    expect(modelOf(SHORT_CALL.filter(({ type }) => type.startsWith('call.'))).finished).toBe(true);
  });

  it('does not count events of another call', () => {
    const model = modelOf([]);
    model.apply(event('speech.started', { startMs: 0 }, { callId: 'c_2' }));
    expect([model.eventsConsumed, model.participants.size]).toEqual([0, 0]);
  });

  it('gives a participant what was heard before its source was known', () => {
    const model = modelOf([]);
    const known = { mediaTimeMs: 1000 };
    const unknown = { participant: null, ...known };
    model.apply(event('speech.started', { startMs: 900 }, unknown));
    expect([...model.participants.keys()]).toEqual(['source 7']);
    model.apply(event('speech.ended', { startMs: 900, endMs: 2000, durationMs: 1100 }, known));
    expect([...model.participants.keys()]).toEqual(['p-ada']);
    expect(model.participants.get('p-ada')?.talkspurts).toEqual([{ startMs: 900, endMs: 2000 }]);
  });

  it('puts momentary levels to the participant of the source', () => {
    const model = modelOf();
    const stream = { streamId: 1, sourceId: '7', levelDbfs: -20, speaking: true };
    model.applyLevels({ callId: 'c_1', streams: [stream, { ...stream, sourceId: '99' }] });
    expect(model.participants.get('p-ada')?.levelDbfs).toBe(-20);
  });
});

describe('summarise', () => {
  it('sums up what was heard', () => {
    const model = modelOf();
    model.eventsPublished = 10;
    expect(summarise(model)).toEqual({
      callStates: ['establishing', 'established', 'terminated'],
      participants: 1,
      framesReceived: 500,
      framesDecoded: 497,
      framesConcealed: 3,
      gaps: 1,
      tones: [{ participant: 'Ada', digit: '5', durationMs: 120 }],
      phrases: [],
      speechSegments: 1,
      eventsPublished: 10,
      eventsConsumed: SHORT_CALL.length,
    });
  });

  it('sums up phrases in the order in which they were spoken', () => {
    const model = modelOf([]);
    model.apply(event('phrase.recognized', phrase('next item', 3000)));
    const bob = { participant: { id: 'p-bob', displayName: 'Bob' }, sourceId: '8' };
    model.apply(event('phrase.recognized', phrase('stop recording', 2000), bob));
    expect(summarise(model).phrases).toEqual([
      {
        participant: 'Bob',
        phrase: 'stop recording',
        startMs: 2000,
        endMs: 2900,
        confidence: 0.98,
      },
      { participant: 'Ada', phrase: 'next item', startMs: 3000, endMs: 3900, confidence: 0.98 },
    ]);
  });
});
