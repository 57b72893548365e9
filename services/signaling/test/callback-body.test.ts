import { describe, expect, it } from 'vitest';
import { readCallback } from '../src/callback-body.js';

const TEXT = '{"value":[{"name":"Zoë"}]}';
const utf16le = new Uint8Array(Buffer.from(TEXT, 'utf16le'));

describe('readCallback', () => {
  it.each([
    ['UTF-8', Buffer.from(TEXT), 'application/json'],
    ['UTF-8 with a mark', Buffer.from(`\uFEFF${TEXT}`), 'application/json; charset=utf-8'],
    ['UTF-8 that calls itself another', Buffer.from(TEXT), 'application/json;charset=Windows-1252'],
    ['UTF-8 of no charset that is known', Buffer.from(TEXT), 'application/json; charset="x-none"'],
    ['Windows-1252', Buffer.from(TEXT, 'latin1'), 'application/json; charset=Windows-1252'],
    ['Windows-1252 that does not say so', Buffer.from(TEXT, 'latin1'), undefined],
    ['Windows-1252 of no charset that is known', Buffer.from(TEXT, 'latin1'), 'a/b; charset=none'],
    ['UTF-16', utf16le, 'application/json; charset=utf-16le'],
  ])('understands %s', (_, bytes, contentType) => {
    const content = readCallback(bytes, contentType);
    expect(content?.raw).toBe(TEXT);
    expect(content?.value).toEqual(JSON.parse(TEXT));
  });

  it.each(['', '{', 'text'])('finds no JSON in %j', (text) => {
    expect(readCallback(Buffer.from(text), 'application/json')).toBeUndefined();
  });

  it('finds none where there is no body', () => {
    expect(readCallback(undefined, undefined)).toBeUndefined();
  });
});
