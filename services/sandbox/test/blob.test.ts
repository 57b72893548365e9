import { assert, base64String, oneof, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBlob, writeBlob } from '../src/host/blob.js';

describe('blob', () => {
  it('is read back as it was written', () => {
    const content = { mediaId: 'm_1', key: 'k' };
    expect(readBlob(writeBlob(content))).toEqual(content);
  });

  it('is nothing when it is of another making, and never an error', () => {
    assert(property(oneof(string(), base64String()), (text) => readBlob(text) === undefined));
    expect(readBlob(Buffer.from('{"mediaId":1,"key":"k"}').toString('base64'))).toBeUndefined();
  });
});
