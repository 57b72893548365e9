import { VirtualClock } from '@earshot/async';
import { describe, expect, it } from 'vitest';
import type { CollectedDigits, Digit, EarshotEvent } from '../src/index.js';
import { collectDigits, parseEvent } from '../src/index.js';

const ENVELOPE = {
  ...{ version: 1, epoch: 1, source: 'media', position: 0, mediaTimeMs: null },
  ...{ wallclock: '2026-01-01T00:00:00.000Z', participant: { id: 'p-a' } },
};

function key(digit: Digit | null, startMs: number, sourceId: string | null = '11'): EarshotEvent {
  const kind = digit === null ? 'beep' : 'dtmf';
  const heard = { levelDbfs: -20, twistDb: 0, confidence: 1, origin: 'inBand', acrossGap: false };
  const data = { kind, digit, startMs, durationMs: 100, ...heard };
  const id = `tone.${sourceId}.${startMs}`;
  return parseEvent({ ...ENVELOPE, id, type: 'tone.detected', callId: 'c_1', sourceId, data });
}

function ended(): EarshotEvent {
  const data = { reason: 'x', retryClass: 'never' };
  return parseEvent({
    ...ENVELOPE,
    id: 'e',
    type: 'call.ended',
    callId: 'c_1',
    sourceId: null,
    data,
  });
}

function setUp(firstDigitMs: number | null = null) {
  const clock = new VirtualClock();
  const told: CollectedDigits[] = [];
  const collection = collectDigits({
    ...{ maxDigits: 4, interDigitMs: 1000, firstDigitMs, clock },
    onCollected: (collected) => told.push(collected),
  });
  const summary = (): string[] =>
    told.map(({ sourceId, digits, reason }) => `${sourceId} ${digits} ${reason}`);
  return { clock, told, collection, summary };
}

describe('keys that a consumer puts together', () => {
  it('are told for each source: by number, terminator and end', () => {
    const { collection, summary, told } = setUp();
    const events = [key('1', 0), key('2', 200), key('7', 250, '12'), key('#', 400), key(null, 500)];
    for (const event of [...events, key('3', 600), key('4', 800), key('5', 1000)]) {
      collection.handler(event);
    }
    collection.handler(key('6', 1200));
    collection.handler(key('8', 1400, null));
    collection.handler(ended());
    expect(summary()).toEqual(['11 12 terminator', '11 3456 length', '12 7 ended', 'null 8 ended']);
    expect(told[0]).toMatchObject({ callId: 'c_1', participant: { id: 'p-a' }, startMs: 0 });
  });

  it('are over after a pause: by the next key’s media time, or by the clock', () => {
    const { clock, collection, summary } = setUp();
    collection.handler(key('1', 0));
    collection.handler(key('2', 5000));
    expect(summary()).toEqual(['11 1 interDigitTimeout']);
    clock.advance(999);
    expect(summary()).toHaveLength(1);
    clock.advance(1);
    expect(summary()).toEqual(['11 1 interDigitTimeout', '11 2 interDigitTimeout']);
  });

  it('count once though their events come again, even after they were told', () => {
    const { collection, summary } = setUp();
    const keys = [key('1', 0), key('2', 200), key('#', 400)];
    for (const event of [...keys.flatMap((each) => [each, each]), ...keys]) {
      collection.handler(event);
    }
    collection.handler(ended());
    expect(summary()).toEqual(['11 12 terminator']);
  });

  it('are none when none come in time', () => {
    const { clock, collection, summary } = setUp(2000);
    collection.expect('c_1', '11');
    collection.expect('c_1', '12');
    clock.advance(1500);
    collection.handler(key('#', 100, '12'));
    clock.advance(10_000);
    expect(summary()).toEqual(['12  terminator', '11  firstDigitTimeout']);
    collection.expect('c_1', '11');
    collection.close();
    clock.advance(10_000);
    expect(summary()).toHaveLength(2);
  });
});
