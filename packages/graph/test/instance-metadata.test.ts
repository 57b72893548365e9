import { VirtualClock } from '@earshot/async';
import { afterEach, expect, it, vi } from 'vitest';
import { GLOBAL_CLOUD } from '../src/endpoints.js';
import { GraphTokens } from '../src/graph-tokens.js';
import { startIdentityServer } from './support/identity-server.js';

// In a file of its own: msal keeps the place that it found for the whole process.

afterEach(() => vi.unstubAllEnvs());

it('asks the instance metadata service where the host names no other place', async () => {
  const expires_on = Math.floor(Date.now() / 1000) + 86_400;
  const identity = await startIdentityServer(() => ({
    body: { access_token: 'identity-token', expires_on, token_type: 'Bearer', resource: 'x' },
  }));
  vi.stubEnv('IDENTITY_ENDPOINT', undefined);
  vi.stubEnv('AZURE_POD_IDENTITY_AUTHORITY_HOST', identity.url);
  const source = new GraphTokens({
    endpoints: GLOBAL_CLOUD,
    clientId: 'app-1',
    credential: { kind: 'managedIdentity', clientId: 'identity-1', homeTenantId: 't-1' },
    clock: new VirtualClock(),
  });
  expect(await source.token('t-1')).toBe('identity-token');
  const [asked] = identity.requests;
  expect(asked?.path).toMatch(/^\/metadata\/identity\/oauth2\/token\/?$/);
  expect(asked?.headers['metadata']).toBe('true');
  expect(asked?.query.get('resource')).toBe('https://graph.microsoft.com');
  expect(asked?.query.get('client_id')).toBe('identity-1');
  source.close();
  await identity.close();
});
