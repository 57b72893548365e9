import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HOST_SCHEMAS, SIGNALING_SCHEMAS } from '../src/host-schemas.js';
import type { ParseResult } from '../src/index.js';
import {
  LIMITS,
  parseHostMessage,
  parseMediaHostMessage,
  parseSignalingMessage,
  parseWorkerMessage,
  writeMessage,
} from '../src/index.js';
import { MEDIA_HOST_SCHEMAS, WORKER_SCHEMAS } from '../src/media-schemas.js';
import type { Sender } from './vectors.js';
import { controlVectors } from './vectors.js';

type Message = Parameters<typeof writeMessage>[0];

const PARSE: Record<Sender, (text: string) => ParseResult<Message>> = {
  mediaHost: parseMediaHostMessage,
  worker: parseWorkerMessage,
  host: parseHostMessage,
  signaling: parseSignalingMessage,
};
const SENDERS = ['mediaHost', 'worker', 'host', 'signaling'] as const;

describe('control messages', () => {
  test.each(controlVectors.valid)('$sender sends $text', ({ sender, text, message }) => {
    const parsed = PARSE[sender](text);
    expect(parsed).toEqual({ ok: true, message });
    if (parsed.ok) expect(JSON.parse(writeMessage(parsed.message))).toEqual(message);
  });

  test.each(controlVectors.invalid)('refused from $sender: $name', ({ sender, text, code }) => {
    expect(PARSE[sender](text)).toMatchObject({ ok: false, code });
  });

  test('the vectors hold every message of the protocol', () => {
    const schemas = {
      mediaHost: MEDIA_HOST_SCHEMAS,
      worker: WORKER_SCHEMAS,
      host: HOST_SCHEMAS,
      signaling: SIGNALING_SCHEMAS,
    };
    for (const sender of SENDERS) {
      const seen = controlVectors.valid.filter((v) => v.sender === sender);
      const types = new Set(seen.map((v) => v.message.type));
      expect([...types].sort()).toEqual(Object.keys(schemas[sender]).sort());
    }
  });

  test('a message over the limit is refused unread', () => {
    const text = JSON.stringify({ type: 'draining', x: 'a'.repeat(LIMITS.maxJsonBytes) });
    expect(parseHostMessage(text)).toMatchObject({ ok: false, code: 'too_large' });
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
      fc.property(anyText, fc.constantFrom(...SENDERS), (text, sender) => {
        expect(PARSE[sender](text).ok).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('any value in any field of a good message gives a result and never throws', () => {
    const anyChange = fc.tuple(fc.constantFrom(...controlVectors.valid), fc.nat(), fc.jsonValue());
    fc.assert(
      fc.property(anyChange, ([vector, which, value]) => {
        const keys = Object.keys(vector.message).filter((key) => key !== 'type');
        const key = keys[which % keys.length] ?? 'other';
        const parsed = PARSE[vector.sender](JSON.stringify({ ...vector.message, [key]: value }));
        // What passes is again a message: parsing what is written of it changes nothing.
        if (parsed.ok) expect(PARSE[vector.sender](writeMessage(parsed.message))).toEqual(parsed);
      }),
      { numRuns: 1000 },
    );
  });

  test('deep nesting is refused, not followed', () => {
    const text = `{"type":"bye","reason":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
    expect(parseMediaHostMessage(text)).toMatchObject({ ok: false, code: 'invalid_message' });
  });
});
