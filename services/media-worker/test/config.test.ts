import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_ENGINES, readConfig } from '../src/index.js';

const REQUIRED = {
  REDIS_URL: 'redis://127.0.0.1:6379',
  EARSHOT_BRIDGE_KEY: Buffer.alloc(32, 1).toString('base64url'),
};

function refusal(environment: Record<string, string>): unknown {
  try {
    readConfig({ ...REQUIRED, ...environment });
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('the environment', () => {
  it('needs Redis and the bridge key only', () => {
    const config = readConfig(REQUIRED);
    expect(config).toMatchObject({
      redisUrl: 'redis://127.0.0.1:6379',
      listen: { host: '127.0.0.1', port: 0 },
      advertisedUrl: undefined,
      opusEngine: 'wasm',
      speechModel: 'silero',
      ringFrames: 128,
      linkGraceMs: 30_000,
      drainMs: 3000,
      attributionWaitMs: 2000,
      deafAfterMs: 60_000,
    });
    expect(config.bridgeKey).toEqual(new Uint8Array(32).fill(1));
    expect(config.decodeThreads).toBeGreaterThanOrEqual(1);
    expect(config.workerId).toMatch(/^w_[\w-]{12}$/);
    expect(readConfig(REQUIRED).workerId).not.toBe(config.workerId);
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('may set up recognizers, in the order in which they are wanted', () => {
    expect(readConfig(REQUIRED)).toMatchObject({ recognizerThreads: 1, engines: NO_ENGINES });
    const { engines } = readConfig({
      ...REQUIRED,
      EARSHOT_STT_ENGINES: 'deepgram, openai',
      EARSHOT_DEEPGRAM_API_KEY: 'd',
      EARSHOT_OPENAI_BASE_URL: 'http://127.0.0.1:8080/v1',
      EARSHOT_AZURE_SPEECH_REGION: 'westeurope',
    });
    expect(engines).toEqual({
      ...NO_ENGINES,
      dictation: ['deepgram', 'openai'],
      deepgram: { apiKey: 'd', baseUrl: undefined, model: undefined },
      openAi: { baseUrl: 'http://127.0.0.1:8080/v1', apiKey: undefined, model: undefined },
    });
    expect(refusal({ EARSHOT_STT_ENGINES: 'parrot' })).toMatchObject({ code: 'invalid_config' });
    const notSetUp = refusal({ EARSHOT_STT_ENGINES: 'openai', EARSHOT_DEEPGRAM_API_KEY: 'd' });
    expect(notSetUp).toMatchObject({ code: 'invalid_config' });
  });

  it('takes keys as files hold them, and refuses what no header can hold', () => {
    const { engines } = readConfig({ ...REQUIRED, EARSHOT_DEEPGRAM_API_KEY: 'd\n' });
    expect(engines.deepgram?.apiKey).toBe('d');
    const refused = refusal({ EARSHOT_DEEPGRAM_API_KEY: 'sec\nret' });
    expect(refused).toMatchObject({ code: 'invalid_config' });
    expect(String(refused)).not.toMatch(/ret$/m);
  });

  it('may reach vendors through a proxy, whose credentials no refusal tells', () => {
    const environment = { HTTPS_PROXY: 'http://jo:secret@proxy:3128', no_proxy: '10.0.0.0/8' };
    expect(readConfig({ ...REQUIRED, ...environment }).engines.proxies).toEqual({
      http: undefined,
      https: 'http://jo:secret@proxy:3128/',
      noProxy: ['10.0.0.0/8'],
    });
    const refused = refusal({ HTTPS_PROXY: 'socks5://jo:secret@proxy:1080' });
    expect(refused).toMatchObject({ code: 'invalid_config' });
    expect(String(refused)).not.toContain('secret');
  });

  it('may ask Azure Speech with tokens of Entra ID, of a machine or of an app', () => {
    const region = { EARSHOT_AZURE_SPEECH_REGION: 'usgovvirginia' };
    const endpoint = { EARSHOT_AZURE_SPEECH_ENDPOINT: 'https://ours.cognitiveservices.azure.com/' };
    const id = { EARSHOT_AZURE_SPEECH_RESOURCE_ID: '/subscriptions/s/…/accounts/ours' };
    const entraOf = (more: Record<string, string>): unknown =>
      readConfig({ ...REQUIRED, ...more }).engines.azureSpeech?.entra;
    expect(entraOf({ ...region, ...id, EARSHOT_AZURE_SPEECH_IDENTITY: 'system' })).toEqual({
      credential: { kind: 'managedIdentity', clientId: undefined },
      authorityUrl: 'https://login.microsoftonline.us',
      resource: 'https://cognitiveservices.azure.us',
      resourceId: id.EARSHOT_AZURE_SPEECH_RESOURCE_ID,
    });
    const app = { AZURE_TENANT_ID: 't', AZURE_CLIENT_ID: 'c' };
    const environment = { ...endpoint, EARSHOT_AZURE_SPEECH_IDENTITY: 'environment' };
    const file = { AZURE_FEDERATED_TOKEN_FILE: '/token', AZURE_AUTHORITY_HOST: 'https://login.x/' };
    expect(entraOf({ ...environment, ...app, ...file })).toMatchObject({
      credential: { kind: 'federatedFile', tenantId: 't', clientId: 'c', path: '/token' },
      authorityUrl: 'https://login.x/',
      resource: 'https://cognitiveservices.azure.com',
      resourceId: undefined,
    });
    expect(entraOf({ ...environment, ...app, AZURE_CLIENT_SECRET: 's' })).toMatchObject({
      credential: { kind: 'secret', clientSecret: 's' },
    });
    for (const wrong of [
      { ...region, EARSHOT_AZURE_SPEECH_IDENTITY: 'system' },
      { ...endpoint, EARSHOT_AZURE_SPEECH_IDENTITY: 'somebody' },
      { ...endpoint, EARSHOT_AZURE_SPEECH_IDENTITY: 'system', EARSHOT_AZURE_SPEECH_KEY: 'k' },
      { EARSHOT_AZURE_SPEECH_IDENTITY: 'system' },
      environment,
      { ...environment, ...app },
      { ...environment, ...app, AZURE_CLIENT_SECRET: 's', AZURE_AUTHORITY_HOST: 'login.x' },
    ]) {
      expect(refusal(wrong)).toMatchObject({ code: 'invalid_config' });
    }
  });

  it('may name a collector of traces', () => {
    const endpoint = 'http://collector:4318';
    expect(readConfig(REQUIRED).otlpEndpoint).toBeUndefined();
    const config = readConfig({ ...REQUIRED, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    expect(config.otlpEndpoint).toBe(endpoint);
    expect(refusal({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' })).toMatchObject({
      code: 'invalid_config',
    });
  });

  it('takes a variable set to nothing as not set', () => {
    const config = readConfig({ ...REQUIRED, EARSHOT_WORKER_ID: '', EARSHOT_DECODE_THREADS: '' });
    expect(config.workerId).toMatch(/^w_/);
  });

  it('says which variable is not set', () => {
    expect(() => readConfig({})).toThrow('REDIS_URL must be set, got nothing');
    expect(refusal({ EARSHOT_BRIDGE_KEY: '' })).toMatchObject({
      code: 'invalid_config',
      message: 'Cannot start the media worker: EARSHOT_BRIDGE_KEY must be set, got nothing',
    });
  });

  it('reads any address', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()),
        fc.integer({ min: 0, max: 65_535 }),
        (host, port) => {
          const text = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
          const config = readConfig({
            ...REQUIRED,
            EARSHOT_LISTEN: text,
            EARSHOT_ADVERTISED_URL: 'wss://worker.example/v1/media-link',
          });
          expect(config.listen).toEqual({ host, port });
        },
      ),
    );
  });

  it.each([
    ['REDIS_URL', 'localhost'],
    ['REDIS_URL', ''],
    ['EARSHOT_LISTEN', '127.0.0.1'],
    ['EARSHOT_LISTEN', '127.0.0.1:70000'],
    ['EARSHOT_BRIDGE_KEY', 'c2hvcnQ'],
    ['EARSHOT_ADVERTISED_URL', 'http://worker'],
    ['EARSHOT_WORKER_ID', 'two words'],
    ['EARSHOT_DECODE_THREADS', '0'],
    ['EARSHOT_DECODE_THREADS', 'many'],
    ['EARSHOT_OPUS_ENGINE', 'libopus'],
    ['EARSHOT_SPEECH_MODEL', 'whisper'],
    ['EARSHOT_AZURE_SPEECH_KEY', 'without region or endpoint'],
    ['EARSHOT_AZURE_SPEECH_REGION', 'evil.example/'],
    ['EARSHOT_RING_FRAMES', '100'],
    ['EARSHOT_DRAIN_MS', '-1'],
  ])('refuses %s=%j by name', (name, value) => {
    expect(refusal({ [name]: value })).toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining(`Cannot start the media worker: ${name} `),
    });
  });

  it.each(['0.0.0.0:0', '[::]:8080'])(
    'wants to be told its URL when it listens on %s',
    (listen) => {
      expect(refusal({ EARSHOT_LISTEN: listen })).toMatchObject({
        code: 'invalid_config',
        message: expect.stringContaining('EARSHOT_ADVERTISED_URL'),
      });
    },
  );
});
