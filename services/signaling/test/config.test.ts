import { CodedError } from '@earshot/async';
import { GLOBAL_CLOUD } from '@earshot/graph';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.js';

const REQUIRED = {
  REDIS_URL: 'redis://127.0.0.1:6379',
  EARSHOT_HOST_KEY: 'h'.repeat(16),
  EARSHOT_BRIDGE_KEY: Buffer.alloc(32, 1).toString('base64url'),
  GRAPH_CLIENT_ID: 'client',
  GRAPH_CLIENT_SECRET: 'secret',
};

function failureOf(environment: Record<string, string>): CodedError {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof CodedError) return error;
  }
  throw new Error('the configuration was accepted');
}

describe('readConfig', () => {
  it('needs five variables and takes the rest from the public cloud', () => {
    const config = readConfig(REQUIRED);
    expect(config.graph).toEqual(GLOBAL_CLOUD);
    expect(config.listen).toEqual({ host: '127.0.0.1', port: 0 });
    expect(config.apiKeys).toEqual([]);
    expect(config.bridgeKey).toHaveLength(32);
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('names every variable that is missing', () => {
    const { code, message } = failureOf({});
    expect(code).toBe('invalid_config');
    for (const name of Object.keys(REQUIRED)) expect(message).toContain(name);
  });

  it('counts an empty variable as unset', () => {
    expect(readConfig({ ...REQUIRED, EARSHOT_API_KEY: '' }).apiKeys).toEqual([]);
    expect(failureOf({ ...REQUIRED, REDIS_URL: '' }).message).toContain('REDIS_URL');
  });

  it.each([
    ['EARSHOT_LISTEN', '8080'],
    ['EARSHOT_LISTEN', '127.0.0.1:70000'],
    ['GRAPH_BASE_URL', 'graph'],
    ['EARSHOT_LOG_LEVEL', 'loud'],
  ])('refuses %s=%s and shows it', (name, value) => {
    const { message } = failureOf({ ...REQUIRED, [name]: value });
    expect(message).toContain(name);
    expect(message).toContain(`got ${value}`);
  });

  it.each([
    ['EARSHOT_BRIDGE_KEY', 'c2hvcnQ'],
    ['EARSHOT_API_KEY', 'short'],
    ['EARSHOT_HOST_KEY', 'short'],
  ])('refuses a short %s without showing it', (name, value) => {
    const { message } = failureOf({ ...REQUIRED, [name]: value });
    expect(message).toContain(name);
    expect(message).not.toContain(value);
  });

  it.each(['0.0.0.0:8080', '[::]:8080', '10.0.0.1:80', 'example.com:80'])(
    'wants an API key to listen on %s',
    (EARSHOT_LISTEN) => {
      expect(failureOf({ ...REQUIRED, EARSHOT_LISTEN }).code).toBe('api_key_required');
      const EARSHOT_API_KEY = 'k'.repeat(16);
      expect(readConfig({ ...REQUIRED, EARSHOT_LISTEN, EARSHOT_API_KEY }).apiKeys).toHaveLength(1);
    },
  );

  it.each(['127.0.0.1:0', '[::1]:0', 'localhost:80', '127.1.2.3:80'])(
    'wants no API key to listen on %s',
    (EARSHOT_LISTEN) => {
      expect(readConfig({ ...REQUIRED, EARSHOT_LISTEN }).apiKeys).toEqual([]);
    },
  );

  it('splits the list of issuers', () => {
    const config = readConfig({ ...REQUIRED, GRAPH_CALLBACK_ISSUERS: 'https://a, https://b' });
    expect(config.graph.callbackIssuers).toEqual(['https://a', 'https://b']);
  });
});

describe('the rules by which bots leave', () => {
  it('are five minutes alone and twenty to wait, if nothing is set', () => {
    expect(readConfig(REQUIRED).autoLeave).toEqual({
      aloneMs: 300_000,
      nobodyCameMs: 1_200_000,
      maxDurationMs: undefined,
      silentMs: undefined,
      lobbyMs: 1_200_000,
      botsAreCompany: false,
    });
  });

  it('are set in seconds, or off', () => {
    const { autoLeave } = readConfig({
      ...REQUIRED,
      EARSHOT_AUTO_LEAVE_ALONE_SECONDS: 'off',
      EARSHOT_AUTO_LEAVE_SILENT_SECONDS: '3600',
      EARSHOT_AUTO_LEAVE_BOTS_ARE_COMPANY: 'true',
    });
    expect(autoLeave).toMatchObject({ silentMs: 3_600_000, botsAreCompany: true });
    expect(autoLeave.aloneMs).toBeUndefined();
  });

  it.each(['0', '-1', '5 min', '604801'])('are refused as %s', (value) => {
    const { message } = failureOf({ ...REQUIRED, EARSHOT_AUTO_LEAVE_ALONE_SECONDS: value });
    expect(message).toContain(`got ${value}`);
  });
});
