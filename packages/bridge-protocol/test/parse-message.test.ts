import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parserOf } from '../check-vectors.mjs';
import * as codec from '../src/index.js';
import {
  LIMITS,
  parseHostMessage,
  parseMediaHostMessage,
  parseWorkerMessage,
  writeMessage,
} from '../src/index.js';
import { vectors } from './vectors.js';

const { valid, invalid } = vectors.control;
const PARSERS = [
  parserOf(codec, 'host', 'host'),
  parserOf(codec, 'host', 'signaling'),
  parserOf(codec, 'media', 'host'),
  parserOf(codec, 'media', 'worker'),
];

describe('control messages', () => {
  test.each(valid)('$link link, from $from: $name', ({ link, from, text, message }) => {
    const parse = parserOf(codec, link, from);
    const parsed = parse(text);
    expect(parsed).toEqual({ ok: true, message });
    // JSON writes -0 as 0.
    if (parsed.ok) expect(parse(writeMessage(parsed.message))).toEqual(withoutNegativeZero(parsed));
  });

  test.each(invalid)(
    'refused on the $link link, from $from: $name',
    ({ link, from, text, code }) => {
      expect(parserOf(codec, link, from)(text)).toMatchObject({ ok: false, code });
    },
  );

  test('the limit is one of bytes, not of characters', () => {
    const messageOf = (filling: string): string => JSON.stringify({ type: 'draining', x: filling });
    const room = LIMITS.maxJsonBytes - messageOf('').length;
    for (const [character, bytes] of [
      ['a', 1],
      ['é', 2],
      ['語', 3],
      ['🚚', 4],
    ] as const) {
      const filling = character.repeat(room / bytes) + 'a'.repeat(room % bytes);
      expect(parseHostMessage(messageOf(filling))).toMatchObject({ ok: true });
      expect(parseHostMessage(messageOf(`${filling}a`))).toMatchObject({ code: 'too_large' });
    }
  });

  test('progress may tell of more streams than are open, but not of any number', () => {
    const progressOf = (length: number): string => {
      const streams = Array.from({ length }, () => ({ streamId: 1, received: 1, durable: 1 }));
      return JSON.stringify({ type: 'progress', streams, creditFrames: 1 });
    };
    expect(parseWorkerMessage(progressOf(LIMITS.maxStreams + 1)).ok).toBe(true);
    expect(parseWorkerMessage(progressOf(LIMITS.maxListedStreams + 1)).ok).toBe(false);
  });

  test('an unknown type is named, but not at length', () => {
    const parsed = parseMediaHostMessage(JSON.stringify({ type: 'x'.repeat(500) }));
    expect(parsed).toEqual({ ok: false, code: 'unsupported_type', detail: 'x'.repeat(64) });
  });

  test('the detail of a refusal names the field and never its value', () => {
    const text = '{"type":"tone","tone":"tone5","sourceId":"Ada L","captureTicks":"1"}';
    const parsed = parseMediaHostMessage(text);
    expect(parsed).toMatchObject({ ok: false, detail: 'tone: sourceId is not valid' });
  });

  test('any text gives a result and never throws', () => {
    const anyText = fc.oneof(fc.string(), fc.json(), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(anyText, fc.constantFrom(...PARSERS), (text, parse) => {
        expect(parse(text).ok).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('any value in any field of a good message gives a result and never throws', () => {
    const anyChange = fc.tuple(fc.constantFrom(...valid), fc.nat(), fc.jsonValue());
    fc.assert(
      fc.property(anyChange, ([{ link, from, message }, which, value]) => {
        const keys = Object.keys(message).filter((key) => key !== 'type');
        const key = keys[which % keys.length] ?? 'other';
        expectStable(parserOf(codec, link, from), JSON.stringify({ ...message, [key]: value }));
      }),
      { numRuns: 1000 },
    );
  });

  test('any character of a good message changed, cut or doubled gives a result', () => {
    const short = valid.filter((v) => v.text.length < 1000);
    const anyEdit = fc.record({
      vector: fc.constantFrom(...short),
      at: fc.nat(),
      cut: fc.nat({ max: 3 }),
      put: fc.oneof(
        fc.string({ maxLength: 3 }),
        fc.constantFrom(...'{}[]",:\\-0e.9', 'null', '1e999', '"\\ud800"', '18446744073709551616'),
      ),
    });
    fc.assert(
      fc.property(anyEdit, ({ vector: { link, from, text }, at, cut, put }) => {
        const start = at % (text.length + 1);
        const edited = text.slice(0, start) + put + text.slice(start + cut);
        expectStable(parserOf(codec, link, from), edited);
      }),
      { numRuns: 5000 },
    );
  });

  test('a message given to a parser of the other side or link gives a result', () => {
    for (const { text } of valid) for (const parse of PARSERS) expectStable(parse, text);
  });

  test.each([
    ['arrays', '['.repeat(30_000), ']'.repeat(30_000)],
    ['arrays never closed', '['.repeat(65_000), ''],
    ['objects', '{"a":'.repeat(10_000), `0${'}'.repeat(10_000)}`],
    ['escapes', `"${'\\u0041'.repeat(10_000)}"`, ''],
    ['digits', '9'.repeat(60_000), ''],
    ['exponents', `1e${'9'.repeat(60_000)}`, ''],
    ['an array of many', `[${'0,'.repeat(30_000)}0`, ']'],
    ['many members', `{${Array.from({ length: 5000 }, (_, n) => `"k${n}":0`).join()}`, '}'],
  ])('the largest of %s is judged without a hang', (_, open, close) => {
    for (const member of ['reason', 'streams', 'resume', 'x', '__proto__']) {
      const text = `{"type":"progress","streams":[],"${member}":${open}${close},"creditFrames":1}`;
      // Of this process: what else the machine does counts for nothing.
      const before = process.cpuUsage();
      for (const parse of PARSERS) expectStable(parse, text);
      expect(process.cpuUsage(before).user).toBeLessThan(2_000_000);
    }
  });
});

/** What passes is again a message: what is written of it is read as the same, but for the sign of a zero. */
function expectStable(parse: (typeof PARSERS)[number], text: string): void {
  const parsed = parse(text);
  if (parsed.ok) expect(parse(writeMessage(parsed.message))).toEqual(withoutNegativeZero(parsed));
  else expect(parsed.detail.length).toBeLessThan(200);
}

/** JSON has no negative zero to write. */
function withoutNegativeZero(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(withoutNegativeZero);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, withoutNegativeZero(member)]),
  );
}
