import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Finding, StreamIdentity, StreamTotals } from '../src/index.js';
import {
  findingEvent,
  hostToneEvent,
  mediaStartedEvent,
  mediaStoppedEvent,
  streamOpenedEvent,
  sumTotals,
} from '../src/index.js';

const STREAM: StreamIdentity = {
  callId: 'c_1',
  epoch: 3,
  streamId: 7,
  mediaId: 'm_1',
  ordinal: 0,
  kind: 'unmixed',
  sourceId: '4711',
  codec: 'opus',
};

const TOTALS: StreamTotals = {
  framesReceived: 10,
  framesDecoded: 6,
  framesSilent: 3,
  framesConcealed: 2,
  framesRecovered: 1,
  framesMissing: 4,
  framesCorrupt: 1,
  framesDropped: 5,
  framesDuplicate: 8,
  framesUnheard: 0,
  gaps: 2,
};

const ms = fc.double({ min: -1e9, max: 1e9, noNaN: true });
const finding: fc.Arbitrary<Finding> = fc.oneof(
  fc.record({
    kind: fc.constant('gap' as const),
    cause: fc.constantFrom('lost' as const, 'overflow', 'discarded', 'corrupt'),
    missingFrames: fc.nat(),
    concealedFrames: fc.nat(5),
    startMs: ms,
    durationMs: fc.nat(),
  }),
  fc.record({
    kind: fc.constant('tone' as const),
    digit: fc.constantFrom('1' as const, '#'),
    startMs: ms,
    durationMs: fc.nat(),
    levelDbfs: fc.double({ min: -127, max: 0, noNaN: true }),
    twistDb: fc.double({ min: -12, max: 8, noNaN: true }),
    confidence: fc.double({ min: 0, max: 1, noNaN: true }),
    acrossGap: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('speechStarted' as const), startMs: ms }),
  fc.record({ kind: fc.constant('speechEnded' as const), startMs: ms, endMs: ms }),
);

describe('events of findings', () => {
  it('have the same id whoever hears them: another worker, epoch or stream id', () => {
    fc.assert(
      fc.property(finding, fc.nat(), fc.nat(), (found, epoch, streamId) => {
        const here = findingEvent(STREAM, found);
        const there = findingEvent({ ...STREAM, epoch, streamId, ordinal: 5 }, found);
        expect(there.id).toBe(here.id);
        expect(here.sourceId).toBe('4711');
      }),
    );
  });

  it('have another id in another media session, whose time begins anew', () => {
    fc.assert(
      fc.property(finding, (found) => {
        const again = findingEvent({ ...STREAM, mediaId: 'm_2' }, found);
        expect(again.id).not.toBe(findingEvent(STREAM, found).id);
      }),
    );
  });

  it('have ids of their own', () => {
    fc.assert(
      fc.property(finding, finding, (a, b) => {
        const [first, second] = [findingEvent(STREAM, a), findingEvent(STREAM, b)];
        const apart = Math.abs(startOf(a) - startOf(b)) > 1;
        const differ = a.kind !== b.kind || causeOf(a) !== causeOf(b) || apart;
        if (differ) expect(first.id).not.toBe(second.id);
      }),
    );
  });

  it('differ by source, and by call', () => {
    const found: Finding = { kind: 'speechStarted', startMs: 20 };
    const ids = [
      findingEvent(STREAM, found),
      findingEvent({ ...STREAM, sourceId: '4712' }, found),
      findingEvent({ ...STREAM, sourceId: null, kind: 'mixed' }, found),
      findingEvent({ ...STREAM, callId: 'c_2' }, found),
    ].map(({ id }) => id);
    expect(new Set(ids).size).toBe(4);
  });

  it('say what was found, to a tenth', () => {
    expect(
      findingEvent(STREAM, {
        kind: 'tone',
        digit: '9',
        startMs: 1000.04,
        durationMs: 99.96,
        levelDbfs: -13.37,
        twistDb: -2.04,
        confidence: 0.8765,
        acrossGap: true,
      }),
    ).toEqual({
      id: 'c_1.m_1.tone.4711.1000',
      type: 'tone.detected',
      mediaTimeMs: 1100,
      sourceId: '4711',
      data: {
        kind: 'dtmf',
        digit: '9',
        startMs: 1000,
        durationMs: 100,
        levelDbfs: -13.4,
        twistDb: -2,
        confidence: 0.88,
        origin: 'inBand',
        acrossGap: true,
      },
    });
    expect(findingEvent(STREAM, { kind: 'speechEnded', startMs: 100, endMs: 350.5 })).toMatchObject(
      {
        type: 'speech.ended',
        mediaTimeMs: 350.5,
        data: { startMs: 100, endMs: 350.5, durationMs: 250.5 },
      },
    );
  });
});

describe('events of an attachment', () => {
  it('happen anew in each epoch', () => {
    const closed: Finding = { kind: 'closed', endMs: 400, totals: TOTALS };
    const ids = [3, 4].flatMap((epoch) => [
      mediaStartedEvent('c_1', epoch).id,
      streamOpenedEvent({ ...STREAM, epoch }).id,
      streamOpenedEvent({ ...STREAM, epoch, ordinal: 1 }).id,
      findingEvent({ ...STREAM, epoch }, closed).id,
    ]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('carry the totals', () => {
    const totals = sumTotals([TOTALS, TOTALS, sumTotals([])]);
    const stopped = mediaStoppedEvent({
      callId: 'c_1',
      epoch: 3,
      streams: 2,
      totals,
      reason: 'callEnded',
      endMs: 12_345.67,
    });
    expect(stopped).toMatchObject({
      type: 'media.stopped',
      mediaTimeMs: 12_345.7,
      data: {
        streams: 2,
        framesReceived: 20,
        framesDecoded: 12,
        framesConcealed: 4,
        framesMissing: 8,
        framesCorrupt: 2,
        framesDropped: 10,
        gaps: 4,
        reason: 'callEnded',
      },
    });
  });
});

it('tells a tone that was reported, not heard, apart from one that was heard', () => {
  const reported = hostToneEvent({
    callId: 'c_1',
    mediaId: 'm_1',
    sourceId: '4711',
    digit: '5',
    startMs: 1000,
    ordinal: 0,
  });
  expect(reported).toMatchObject({
    data: { origin: 'host', durationMs: 0, levelDbfs: null, twistDb: null, confidence: null },
  });
  const heard = findingEvent(STREAM, {
    kind: 'tone',
    digit: '5',
    startMs: 1000,
    durationMs: 100,
    levelDbfs: -10,
    twistDb: 0,
    confidence: 0.9,
    acrossGap: false,
  });
  expect(reported.id).not.toBe(heard.id);
});

function startOf(found: Finding): number {
  return found.kind === 'closed' ? 0 : found.startMs;
}

function causeOf(found: Finding): string {
  return found.kind === 'gap' ? found.cause : '';
}
