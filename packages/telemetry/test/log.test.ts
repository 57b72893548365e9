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
  const spellings = [
    ...names,
    ...[
      'passcode',
      'joinUrl',
      'Authorization',
      'join_url',
      'Display-Name',
      'x-api-key',
      'X-API-Key',
    ],
    ...['tokens', 'secrets', 'passwords', 'keys', 'apiKeys', 'clientSecrets', 'privateKey'],
    ...['EARSHOT_API_KEY', 'EARSHOT_API_KEYS', 'EARSHOT_BRIDGE_KEY', 'EARSHOT_HOST_KEY'],
    ...['IDENTITY_HEADER', 'x-identity-header'],
    ...['phoneNumber', 'phone', 'email', 'userPrincipalName', 'upn'],
  ];

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

  it.each([
    ['got 401 for Bearer abc.DEF-123', 'got 401 for Bearer [redacted]'],
    ['header {"authorization":"Bearer abcdefgh"}', 'header {"authorization":"Bearer [redacted]"}'],
    ['token eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.c2ln refused', 'token [redacted] refused'],
    [
      'join https://teams.microsoft.com/meet/123?p=Secret failed',
      'join https://teams.microsoft.com/[redacted] failed',
    ],
    ['cannot reach redis://user:pass@db:6379/0', 'cannot reach redis://[redacted]@db:6379/0'],
    ['GET https://host/a/b?key=1&p=2, failed', 'GET https://host/a/b?[redacted] failed'],
    [
      'POST http://host/v1/callbacks/Abc-123_xyz: 500',
      'POST http://host/v1/callbacks/[redacted]: 500',
    ],
    ['body {"displayName":"Ada \\"L\\"","n":1}', 'body {"displayName":[redacted],"n":1}'],
    ['grant client_secret=abc&scope=x', 'grant client_secret=[redacted]&scope=x'],
    ['digit: 7, at 12', 'digit: [redacted], at 12'],
    ['x-api-key: abcDEF-123 refused', 'x-api-key: [redacted] refused'],
    ['set EARSHOT_API_KEY=abc EARSHOT_LISTEN=x', 'set EARSHOT_API_KEY=[redacted] EARSHOT_LISTEN=x'],
    ["EARSHOT_API_KEYS='[{}]' now", 'EARSHOT_API_KEYS=[redacted] now'],
    ['body {"tokens":["a","b"],"n":1}', 'body {"tokens":[redacted],"n":1}'],
    ['form secrets=a&passwords=b&n=1', 'form secrets=[redacted]&passwords=[redacted]&n=1'],
    ['webhook whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD/= gone', 'webhook [redacted] gone'],
    [
      'key -----BEGIN RSA PRIVATE KEY-----\nMIIB+/=\n-----END RSA PRIVATE KEY----- unreadable',
      'key [redacted] unreadable',
    ],
    ['calling +12065550100, 480', 'calling [redacted], 480'],
    ['no such user ada.l+x@mail.contoso.com.', 'no such user [redacted].'],
  ])('hides what looks private in the text %j', (text, expected) => {
    expect(redact({ error: new Error(text) })).toMatchObject({ error: { message: expected } });
    const { log, parsed } = capture();
    log.info(text, { detail: text });
    expect(parsed()[0]).toMatchObject({ msg: expected, detail: expected });
  });

  it.each([
    'call not created',
    'ws://127.0.0.1:8081/v1/media-link',
    'Cannot attach: the epoch must be the newest, got 3',
    'redis://localhost:6379',
    '/tmp/run/redis.sock',
    '2026-11-26T15:00:00.000Z tokens expire in 60 s',
    'exactly one of GRAPH_CLIENT_SECRET, EARSHOT_API_KEYS must be set',
    'at node_modules/.pnpm/@azure+msal-node@7.2.3/x.js, 2026-11-26T15:00:00+02:00, rate 1e+1234567',
    'thread 19:meeting_a@thread.v2',
  ])('leaves the text %j as it is', (text) => {
    expect(redact({ text })).toEqual({ text });
  });

  it('takes a moment only, whatever is in a long text', () => {
    const pieces = [
      'https://',
      'a.',
      '?',
      '"',
      'token',
      'whsec_',
      '[',
      '-----BEGIN PRIVATE KEY-----',
      'EARSHOT_',
      'api-key',
      '=',
      'eyJ',
      '/callbacks/',
      '://',
      '@',
      '+1',
      ' ',
    ];
    const nasty = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(nasty, (repeated) => {
        const text = repeated.join('').repeat(20_000).slice(0, 100_000);
        // Of this process: what else the machine does counts for nothing.
        const before = process.cpuUsage();
        redact({ text });
        expect(process.cpuUsage(before).user).toBeLessThan(500_000);
      }),
      { numRuns: 50 },
    );
  });

  it.each(['key', 'idempotencyKey', 'keyId', 'tokenKind', 'monkeys'])(
    'leaves the field %s as it is',
    (name) => {
      expect(redact({ [name]: 'shown' })).toEqual({ [name]: 'shown' });
    },
  );

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
