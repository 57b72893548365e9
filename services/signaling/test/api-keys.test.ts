import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodedError } from '@earshot/async';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SignalingConfig } from '../src/config.js';
import { readConfig } from '../src/config.js';
import { SCOPES } from '../src/rest/scopes.js';

const SECRET = 'a-secret-of-the-tests';
const OTHER = 'another-secret-of-the-tests';
const sha256 = createHash('sha256').update(OTHER).digest('hex');
const READER = { id: 'reader', key: SECRET, scopes: ['calls:read'] };
const HASHED = { id: 'hashed', sha256, scopes: 'all' };

function read(environment: Record<string, string>): SignalingConfig {
  return readConfig({
    REDIS_URL: 'redis://127.0.0.1:6379',
    EARSHOT_HOST_KEY: 'h'.repeat(16),
    EARSHOT_BRIDGE_KEY: Buffer.alloc(32, 1).toString('base64url'),
    GRAPH_CLIENT_ID: 'client',
    GRAPH_CLIENT_SECRET: 'secret',
    ...environment,
  });
}

function faultOf(environment: Record<string, string>): string {
  try {
    read(environment);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    expect(error.code).toBe('invalid_config');
    expect(error.message).not.toContain(SECRET);
    expect(error.message).not.toContain(OTHER);
    return error.message;
  }
  throw new Error('the keys were accepted');
}

describe('the API keys', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'earshot-keys-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('are read as keys or as their hashes, beside the one that may do everything', () => {
    const { apiKeys } = read({
      EARSHOT_API_KEY: 'k'.repeat(16),
      EARSHOT_API_KEYS: JSON.stringify([READER, HASHED]),
    });
    expect(apiKeys.map(({ id, scopes }) => [id, scopes])).toEqual([
      ['default', SCOPES],
      ['reader', ['calls:read']],
      ['hashed', SCOPES],
    ]);
    expect(Buffer.from(apiKeys[2]?.digest ?? []).toString('hex')).toBe(sha256);
    expect(JSON.stringify(apiKeys)).not.toContain(SECRET);
  });

  it('are read from a file', () => {
    const EARSHOT_API_KEYS_FILE = join(folder, 'keys.json');
    writeFileSync(EARSHOT_API_KEYS_FILE, JSON.stringify([READER]));
    const { apiKeys } = read({ EARSHOT_API_KEYS_FILE, EARSHOT_LISTEN: '0.0.0.0:0' });
    expect(apiKeys.map(({ id }) => id)).toEqual(['reader']);
    const missing = faultOf({ EARSHOT_API_KEYS_FILE: join(folder, 'none.json') });
    expect(missing).toContain('EARSHOT_API_KEYS_FILE must name a file that can be read (ENOENT)');
    writeFileSync(EARSHOT_API_KEYS_FILE, JSON.stringify([{ ...READER, scopes: ['x'] }]));
    expect(faultOf({ EARSHOT_API_KEYS_FILE })).toContain('[0].scopes[0] must be one of');
    const both = faultOf({ EARSHOT_API_KEYS_FILE, EARSHOT_API_KEYS: '[]' });
    expect(both).toContain('EARSHOT_API_KEYS');
  });

  it.each([
    ['no JSON', `[{"key":"${SECRET}"`, 'must be JSON'],
    ['no list', READER, 'must be a list of keys'],
    ['no key', [], 'must hold at least one key'],
    ['an unknown scope', [{ ...READER, scopes: ['calls:all'] }], '[0].scopes[0] must be one of'],
    ['no scope', [{ ...READER, scopes: [] }], '[0].scopes must name at least one scope'],
    ['scopes that are no list', [{ ...READER, scopes: 7 }], '[0].scopes must be "all" or a list'],
    ['a short key', [HASHED, { ...READER, key: 'short' }], '[1].key must have at least 16'],
    ['a short hash', [{ ...HASHED, sha256: 'ab' }], '[0].sha256 must be 64 hexadecimal digits'],
    ['neither', [{ id: 'x', scopes: 'all' }], '[0] must have either key or sha256'],
    ['key and hash', [{ ...HASHED, key: SECRET }], '[0] must have either key or sha256'],
    ['no id', [{ ...READER, id: undefined }], '[0].id must be a text'],
    ['a bad id', [{ ...READER, id: 'a b' }], '[0].id must be 1 to 64 letters'],
    ['a reserved id', [{ ...READER, id: 'default' }], '[0].id must not be default or none'],
    ['an unknown field', [{ ...READER, scope: 'x' }], '"scope"'],
    ['an id twice', [READER, { ...HASHED, id: 'reader' }], 'each id once, not reader twice'],
    ['a key twice', [READER, { ...READER, id: 'b' }], 'not the same for reader and b'],
  ])('are refused with what is wrong: %s', (_name, list, fault) => {
    const text = typeof list === 'string' ? list : JSON.stringify(list);
    const message = faultOf({ EARSHOT_API_KEYS: text });
    expect(message).toContain('EARSHOT_API_KEYS');
    expect(message).toContain(fault);
  });

  it('are refused when one of the list is EARSHOT_API_KEY', () => {
    const message = faultOf({
      EARSHOT_API_KEY: SECRET,
      EARSHOT_API_KEYS: JSON.stringify([READER]),
    });
    expect(message).toContain('not the same for default and reader');
  });
});
