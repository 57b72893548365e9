import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.js';

describe('readConfig', () => {
  it('makes up what nobody gave', () => {
    const config = readConfig({ EARSHOT_SPEED: '', EARSHOT_AUDIO: '[]' });
    expect(config).toMatchObject({
      listen: { host: '127.0.0.1', port: 0 },
      hostLink: undefined,
      speed: 1,
      replayWindowMs: 30_000,
      audioFiles: [],
      clientId: expect.stringMatching(/^[\da-f-]{36}$/),
      tenantId: expect.stringMatching(/^[\da-f-]{36}$/),
    });
    expect(readConfig({}).clientSecret).not.toBe(config.clientSecret);
  });

  it('takes what is given', () => {
    const config = readConfig({
      EARSHOT_LISTEN: '[::1]:8443',
      EARSHOT_SPEED: '20',
      EARSHOT_AUDIO: '["a.opus","b.ogg"]',
      EARSHOT_HOST_LINK_URL: 'ws://127.0.0.1:1/v1/host-link',
      EARSHOT_HOST_KEY: 'key',
      GRAPH_CLIENT_ID: 'id',
    });
    expect(config).toMatchObject({
      listen: { host: '::1', port: 8443 },
      speed: 20,
      audioFiles: ['a.opus', 'b.ogg'],
      hostLink: { url: 'ws://127.0.0.1:1/v1/host-link', token: 'key' },
      clientId: 'id',
    });
  });

  it.each([
    ['EARSHOT_LISTEN', 'nowhere', /must be host:port/],
    ['EARSHOT_SPEED', '0.5', /must be from 1 to 1000, got 0.5/],
    ['EARSHOT_SPEED', 'fast', /must be from 1/],
    ['EARSHOT_REPLAY_WINDOW_MS', '600001', /must be from 0 to 600000, got 600001/],
    ['EARSHOT_AUDIO', 'a.opus', /must be a JSON array of file paths/],
    ['EARSHOT_AUDIO', '[7]', /must be a JSON array/],
    ['EARSHOT_HOST_LINK_URL', 'http://x', /must be a ws or wss URL/],
    ['EARSHOT_HOST_LINK_URL', 'ws://x', /EARSHOT_HOST_KEY must be set/],
    ['EARSHOT_LOG_LEVEL', 'loud', /EARSHOT_LOG_LEVEL/],
  ])('refuses %s=%s, naming the rule', (name, value, message) => {
    expect(() => readConfig({ [name]: value })).toThrow(message);
    expect(() => readConfig({ [name]: value })).toThrow(
      expect.objectContaining({ code: 'invalid_config' }),
    );
  });
});
