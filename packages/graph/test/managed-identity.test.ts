import { VirtualClock } from '@earshot/async';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GraphCredential } from '../src/credential.js';
import { GLOBAL_CLOUD } from '../src/endpoints.js';
import { GraphTokens } from '../src/graph-tokens.js';
import type { IdentityServer } from './support/identity-server.js';
import { startIdentityServer } from './support/identity-server.js';
import type { TokenServer } from './support/token-server.js';
import { startTokenServer } from './support/token-server.js';

const HOME = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const OTHER = '00000000-0000-4000-8000-000000000000';
const DAY_S = 86_400;

let identity: IdentityServer;
let authority: TokenServer;
let close: () => void = () => {};

beforeAll(async () => {
  authority = await startTokenServer();
  identity = await startIdentityServer(given);
});

beforeEach(() => {
  identity.requests.length = 0;
  authority.requests.length = 0;
});

afterEach(() => {
  close();
  vi.unstubAllEnvs();
});

afterAll(async () => {
  await identity.close();
  await authority.close();
});

function given() {
  const expires_on = Math.floor(Date.now() / 1000) + DAY_S;
  const access_token = `identity-token-${identity.requests.length}`;
  return { body: { access_token, expires_on, token_type: 'Bearer', resource: 'x' } };
}

function tokens(credential: GraphCredential, resource?: string): GraphTokens {
  const source = new GraphTokens({
    ...(resource === undefined ? {} : { resource }),
    endpoints: { ...GLOBAL_CLOUD, authorityBaseUrl: authority.url },
    clientId: 'app-1',
    credential,
    clock: new VirtualClock(),
    random: () => 0,
    // Plain HTTP for the identity, the test's own certificate for the authority.
    fetch: (input, init) =>
      String(input).startsWith('https:') ? authority.fetch(input, init) : fetch(input, init),
  });
  close = () => source.close();
  return source;
}

function appService(): void {
  vi.stubEnv('IDENTITY_ENDPOINT', `${identity.url}/msi/token`);
  vi.stubEnv('IDENTITY_HEADER', 'header-secret');
}

describe('a managed identity', () => {
  it('gives tokens of the system-assigned identity at the endpoint of the host', async () => {
    appService();
    const source = tokens({ kind: 'managedIdentity', homeTenantId: HOME });
    expect(await source.token(HOME)).toBe('identity-token-1');
    expect(await source.token(HOME.toUpperCase())).toBe('identity-token-1');
    expect(identity.requests).toHaveLength(1);
    const [asked] = identity.requests;
    expect(asked?.path).toBe('/msi/token');
    expect(asked?.query.get('resource')).toBe('https://graph.microsoft.com');
    expect(asked?.query.has('client_id')).toBe(false);
    expect(asked?.headers['x-identity-header']).toBe('header-secret');
  });

  it('gives tokens for another resource than Graph', async () => {
    appService();
    const resource = 'https://cognitiveservices.azure.com';
    const source = tokens({ kind: 'managedIdentity', homeTenantId: HOME }, resource);
    await source.token(HOME);
    expect(identity.requests[0]?.query.get('resource')).toBe(resource);
  });

  it('gives tokens of a user-assigned identity', async () => {
    appService();
    const source = tokens({
      kind: 'managedIdentity',
      clientId: 'identity-1',
      homeTenantId: HOME,
    });
    await source.token(HOME);
    expect(identity.requests[0]?.query.get('client_id')).toBe('identity-1');
  });

  it('has no tokens of another tenant, and says what has', async () => {
    appService();
    const source = tokens({ kind: 'managedIdentity', homeTenantId: HOME });
    const error = await source.token(OTHER).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'graph_token_refused',
      fix: expect.stringContaining('GRAPH_FEDERATED_IDENTITY'),
    });
    expect(String(error)).toContain(HOME);
    expect(identity.requests).toEqual([]);
  });

  it('that the host does not have is refused', async () => {
    appService();
    identity.answer = () => ({ status: 400, body: { error: 'invalid_request' } });
    const source = tokens({ kind: 'managedIdentity', homeTenantId: HOME });
    const error = await source.token(HOME).catch((caught: unknown) => caught);
    identity.answer = given;
    expect(error).toMatchObject({ code: 'graph_token_refused', status: 400 });
    expect(String(error)).toContain('the managed identity must grant one');
    expect(String(error)).not.toContain('header-secret');
  });
});

describe('a managed identity as a federated credential', () => {
  it('stands for the app in any tenant', async () => {
    appService();
    const source = tokens({ kind: 'federatedIdentity', clientId: 'identity-1' });
    expect(await source.token(OTHER)).toBe(`token-1-of-${OTHER}`);
    expect(identity.requests[0]?.query.get('resource')).toBe('api://AzureADTokenExchange');
    expect(identity.requests[0]?.query.get('client_id')).toBe('identity-1');
    const form = authority.requests[0]?.form;
    expect(form?.get('client_assertion')).toBe('identity-token-1');
    expect(form?.get('client_id')).toBe('app-1');
  });
});
