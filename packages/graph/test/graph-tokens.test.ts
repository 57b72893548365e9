import { describe, expect, it } from 'vitest';
import { GLOBAL_CLOUD, graphScope } from '../src/endpoints.js';
import { GraphTokens } from '../src/graph-tokens.js';

describe('graphScope', () => {
  it.each([
    ['https://graph.microsoft.com/v1.0', 'https://graph.microsoft.com/.default'],
    ['https://graph.microsoft.us/v1.0', 'https://graph.microsoft.us/.default'],
    ['https://127.0.0.1:8443/v1.0', 'https://graph.microsoft.com/.default'],
  ])('of %s is %s', (graphBaseUrl, scope) => {
    expect(graphScope({ ...GLOBAL_CLOUD, graphBaseUrl })).toBe(scope);
  });
});

describe('GraphTokens', () => {
  it('says what failed without showing the secret', async () => {
    const tokens = new GraphTokens({
      endpoints: { ...GLOBAL_CLOUD, authorityBaseUrl: 'https://127.0.0.1:1' },
      clientId: 'app',
      clientSecret: 'very-secret-value',
    });
    const error = await tokens.token('t-1').catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'graph_token_refused' });
    expect(String(error)).not.toContain('very-secret-value');
  });
});
