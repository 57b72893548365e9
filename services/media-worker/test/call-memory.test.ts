import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCallMemory } from '../src/call-memory.js';
import { parseTaskResumes } from '../src/recognition/utterance-trail.js';

const REPORT = { way: 'host', startMs: 1000, endMs: 1100 };
const TOLD = { sound: '5', sourceId: '7', reports: [REPORT] };
const STATE = { digits: '5', startMs: 1000, lastMs: 1100, sinceMs: null };
const LEDGER = {
  ...{ startMs: 0, settledMs: 900, talkMs: 400, overlapMs: 0 },
  speakers: [['0', 400, 1, 0, 500]],
  spurts: [['0', 500, null]],
};
const TALK = {
  speakers: [[0, '7', null]],
  ledger: LEDGER,
  mix: null,
  dominant: { current: '7', isHosts: false, quietMs: 0, lately: [['7', 400]], now: [] },
};
const MEMORY = {
  version: 1,
  tones: { told: [TOLD] },
  collections: [{ sourceId: '7', state: STATE }],
  talk: TALK,
  heardMs: 1700,
};

describe('what was stored of a call', () => {
  it('comes back as it was', () => {
    expect(parseCallMemory(JSON.parse(JSON.stringify(MEMORY)))).toEqual(MEMORY);
  });

  it.each([
    ['another version', { ...MEMORY, version: 2 }],
    ['a tone at such a time', tones({ ...TOLD, reports: [{ ...REPORT, startMs: -1e308 }] })],
    ['a tone that nobody reported', tones({ ...TOLD, reports: [] })],
    ['more tones than are kept', tones(...Array.from({ length: 3000 }, () => TOLD))],
    ['more digits than are kept', collected({ ...STATE, digits: '5'.repeat(1_000_000) })],
    ['a key at such a time', collected({ ...STATE, lastMs: 2 ** 60 })],
  ])('is nothing with %s', (_, value) => {
    expect(parseCallMemory(value)).toBeUndefined();
  });

  it.each([
    ['of an earlier version', undefined],
    ['at a time that no media clock shows', { ...TALK, ledger: { ...LEDGER, settledMs: 1e16 } }],
    ['for less than no time', { ...TALK, ledger: { ...LEDGER, talkMs: -1 } }],
    ['of more than are handed on', { ...TALK, speakers: Array(3000).fill([0, '7', null]) }],
    ['of somebody without end', { ...TALK, speakers: [[Number.POSITIVE_INFINITY, '7', null]] }],
  ])('begins anew only in who speaks with talk %s', (_, talk) => {
    expect(parseCallMemory({ ...MEMORY, talk })).toEqual({ ...MEMORY, talk: null });
    expect(parseCallMemory({ ...MEMORY, heardMs: talk })).toEqual({ ...MEMORY, heardMs: null });
  });

  it('is nothing, and never thrown at, when it is anything else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.jsonValue()), (value) => {
        expect(parseCallMemory(value)).toBeUndefined();
      }),
    );
  });
});

describe('what was stored of how tasks go on', () => {
  const RESUME = { task: 'phrases', untilMs: 1000, next: null };

  it('comes back as it was, and is nothing when there is more than is kept', () => {
    expect(parseTaskResumes([RESUME])).toEqual([RESUME]);
    expect(parseTaskResumes(Array.from({ length: 129 }, () => RESUME))).toEqual([]);
    expect(parseTaskResumes([{ ...RESUME, untilMs: Number.POSITIVE_INFINITY }])).toEqual([]);
  });
});

function tones(...told: readonly unknown[]): unknown {
  return { ...MEMORY, tones: { told } };
}

function collected(state: unknown): unknown {
  return { ...MEMORY, collections: [{ sourceId: '7', state }] };
}
