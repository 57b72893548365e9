import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodedError } from '@earshot/async';
import { CLOUDS, GLOBAL_CLOUD } from '@earshot/graph';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
    ['GRAPH_TENANT_ID', 'contoso.onmicrosoft.com'],
    ['GRAPH_TENANT_ID', 'common'],
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

describe('the cloud', () => {
  it.each(['global', 'usGovL4', 'usGovL5'] as const)('%s is known by name', (name) => {
    const config = readConfig({ ...REQUIRED, GRAPH_CLOUD: name });
    expect(config.graph).toEqual(CLOUDS[name]);
    expect(new URL(config.graph.graphBaseUrl).protocol).toBe('https:');
  });

  it('of China is refused with the reason', () => {
    const { message } = failureOf({ ...REQUIRED, GRAPH_CLOUD: 'china' });
    expect(message).toContain('GRAPH_CLOUD must not be china');
    expect(message).toContain('no calls API');
    expect(failureOf({ ...REQUIRED, GRAPH_CLOUD: 'mars' }).message).toContain('usGovL4');
  });

  it('has addresses that may be set, those of signers several', () => {
    const { graph } = readConfig({
      ...REQUIRED,
      GRAPH_CLOUD: 'usGovL4',
      GRAPH_CALLBACK_OPENID_URL: 'https://a/x, https://b/y',
    });
    expect(graph.callbackOpenIdUrls).toEqual(['https://a/x', 'https://b/y']);
    expect(graph.graphBaseUrl).toBe('https://graph.microsoft.us/v1.0');
    const wrong = failureOf({ ...REQUIRED, GRAPH_CALLBACK_OPENID_URL: 'https://a,b' });
    expect(wrong.message).toContain('GRAPH_CALLBACK_OPENID_URL must be an http or https URL');
  });
});

describe('the credential', () => {
  const { GRAPH_CLIENT_SECRET: _, ...others } = REQUIRED;
  const credentialOf = (set: Record<string, string>) =>
    readConfig({ ...others, ...set }).credential;
  let folder: string;
  let pair: { cert: string; private: string };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'earshot-config-'));
    pair = await generate([{ name: 'commonName', value: 'bot' }], { keySize: 2048 });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function file(name: string, text: string): string {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  }

  it('is a secret, a file, or an identity', () => {
    expect(credentialOf({ GRAPH_CLIENT_SECRET: 's' })).toEqual({
      kind: 'secret',
      clientSecret: 's',
    });
    const federatedFile = { kind: 'federatedFile', path: '/run/token' };
    expect(credentialOf({ GRAPH_FEDERATED_TOKEN_FILE: '/run/token' })).toEqual(federatedFile);
    expect(credentialOf({ AZURE_FEDERATED_TOKEN_FILE: '/run/token' })).toEqual(federatedFile);
    expect(
      credentialOf({ AZURE_FEDERATED_TOKEN_FILE: '/run/token', GRAPH_CLIENT_SECRET: 's' }).kind,
    ).toBe('secret');
    const identity = { kind: 'federatedIdentity', clientId: 'i' };
    expect(credentialOf({ GRAPH_FEDERATED_IDENTITY: 'i' })).toEqual(identity);
    const homeTenantId = '7a6f3d4e-0000-4000-8000-000000000001';
    const home = { GRAPH_TENANT_ID: homeTenantId };
    expect(credentialOf({ GRAPH_MANAGED_IDENTITY: 'system', ...home })).toEqual({
      kind: 'managedIdentity',
      homeTenantId,
    });
    expect(credentialOf({ GRAPH_MANAGED_IDENTITY: 'i', ...home })).toMatchObject({ clientId: 'i' });
  });

  it('of a managed identity wants its home tenant', () => {
    const { message } = failureOf({ ...others, GRAPH_MANAGED_IDENTITY: 'system' });
    expect(message).toContain('GRAPH_TENANT_ID must be set to the home tenant');
  });

  it.each([
    [{}, 'got none'],
    [
      { GRAPH_CLIENT_SECRET: 'hidden', GRAPH_FEDERATED_IDENTITY: 'i' },
      'got GRAPH_CLIENT_SECRET and GRAPH_FEDERATED_IDENTITY',
    ],
  ])('is one and no more: %j', (set, got) => {
    const { message } = failureOf({ ...others, ...set });
    expect(message).toContain('exactly one of GRAPH_CLIENT_SECRET, GRAPH_CERTIFICATE_FILE');
    expect(message).toContain(got);
    expect(message).not.toContain('hidden');
  });

  it('is a certificate with its key, in one file or two', () => {
    const cert = file('cert.pem', pair.cert);
    const key = file('key.pem', pair.private);
    const both = file('both.pem', pair.private + pair.cert);
    const expected = { kind: 'certificate', sendChain: false, privateKey: pair.private.trim() };
    const two = credentialOf({ GRAPH_CERTIFICATE_FILE: cert, GRAPH_CERTIFICATE_KEY_FILE: key });
    expect(two).toMatchObject(expected);
    const one = credentialOf({
      GRAPH_CERTIFICATE_FILE: both,
      GRAPH_CERTIFICATE_SEND_CHAIN: 'true',
    });
    expect(one).toMatchObject({ ...expected, sendChain: true });
    // What is sent with the chain is not the key.
    if (one.kind !== 'certificate') throw new Error('no certificate');
    expect(one.certificate).toContain('BEGIN CERTIFICATE');
    expect(one.certificate).not.toContain('PRIVATE');
  });

  it('is refused when its certificate is of no use', async () => {
    const other = await generate([{ name: 'commonName', value: 'other' }], { keySize: 2048 });
    const old = await generate([{ name: 'commonName', value: 'old' }], {
      keySize: 2048,
      notBeforeDate: new Date('2020-01-01'),
      notAfterDate: new Date('2021-01-01'),
    });
    const fault = (GRAPH_CERTIFICATE_FILE: string) => {
      const { message } = failureOf({ ...others, GRAPH_CERTIFICATE_FILE });
      expect(message).not.toContain('PRIVATE');
      return message;
    };
    expect(fault(join(folder, 'none.pem'))).toContain('(ENOENT)');
    expect(fault(file('text.pem', 'no certificate'))).toContain('must name a PEM file');
    expect(fault(file('mixed.pem', pair.private + other.cert))).toContain('got another');
    expect(fault(file('old.pem', old.private + old.cert))).toContain('expired on');
    const chain = { GRAPH_CERTIFICATE_FILE: 'x', GRAPH_CERTIFICATE_SEND_CHAIN: 'yes' };
    expect(failureOf({ ...others, ...chain }).message).toContain('must be true or false');
  });
});
