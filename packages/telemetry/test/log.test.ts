import { CodedError } from '@earshot/async';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogLevel } from '../src/log.js';
import { createLog } from '../src/log.js';
import { redact } from '../src/redact.js';

function capture(level: LogLevel = 'info', pretty = false) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLog({ service: 'test', level, destination, pretty });
  return { log, lines, parsed: () => lines.map((line) => JSON.parse(line)) };
}

describe('createLog', () => {
  it('writes one JSON line with service, level, time and fields', () => {
    const { log, parsed } = capture();
    log.info('call started', { callId: 'c_1', attempts: 2 });
    expect(parsed()).toEqual([
      {
        service: 'test',
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        msg: 'call started',
        callId: 'c_1',
        attempts: 2,
      },
    ]);
  });

  it('leaves out what is below its level', () => {
    const { log, parsed } = capture('warn');
    log.debug('a');
    log.info('b');
    log.warn('c');
    log.error('d');
    expect(parsed().map((line) => line.msg)).toEqual(['c', 'd']);
  });

  it('adds the fields of a child to each line, redacted', () => {
    const { log, parsed } = capture();
    log.child({ callId: 'c_1', displayName: 'Ada' }).child({ pod: 3 }).info('x', { token: 't' });
    expect(parsed()[0]).toMatchObject({
      callId: 'c_1',
      pod: 3,
      displayName: '[redacted]',
      token: '[redacted]',
    });
  });

  it('shows errors with code and cause', () => {
    const { log, parsed } = capture();
    const cause = new Error('socket closed');
    log.error('failed', { error: new CodedError('graph_refused', 'Cannot join', { cause }) });
    expect(parsed()[0].error).toMatchObject({
      name: 'CodedError',
      code: 'graph_refused',
      message: 'Cannot join',
      cause: { message: 'socket closed' },
    });
  });

  it('writes lines for people when asked', () => {
    const { log, lines } = capture('info', true);
    log.warn('slow', { ms: 12, digit: '7' });
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d warn {2}test: slow {"ms":12,"digit":"\[redacted\]"}\n$/,
    );
  });
});

describe('redact', () => {
  const names = ['token', 'authorization', 'blob', 'displayName', 'digit', 'transcript'];
  const spellings = [...names, 'passcode', 'joinUrl', 'Authorization', 'join_url', 'Display-Name'];

  it('never lets a private value through, at any depth and in any place', () => {
    const nest = fc.array(fc.constantFrom('object', 'array', 'error'), { maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom(...spellings), nest, (name, wrappers) => {
        let value: unknown = { [name]: 'PRIVATE', beside: 1 };
        for (const wrapper of wrappers) {
          if (wrapper === 'object') value = { inner: value };
          else if (wrapper === 'array') value = [value];
          else value = new Error('x', { cause: value });
        }
        expect(JSON.stringify(redact({ value }))).not.toContain('PRIVATE');
      }),
    );
  });

  it('keeps other values, down to three levels', () => {
    const fields = { a: 1, b: { c: 'two', d: [true, null] }, when: new Date(0) };
    expect(redact(fields)).toEqual(fields);
    expect(redact({ a: { b: { c: { d: 1 } } } })).toEqual({ a: { b: { c: '[omitted]' } } });
  });

  it('turns what JSON can not hold into text', () => {
    expect(redact({ ticks: 12n, pcm: new Int16Array(4) })).toEqual({
      ticks: '12',
      pcm: '[8 bytes]',
    });
  });

  it('does not change its argument', () => {
    const fields = { token: 't', inner: { digit: '1' } };
    redact(fields);
    expect(fields).toEqual({ token: 't', inner: { digit: '1' } });
  });
});
