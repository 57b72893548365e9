import { systemClock } from '@earshot/async/system';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { GLOBAL_CLOUD, graphResource, scopeOf } from '../src/endpoints.js';
import { GraphError } from '../src/graph-error.js';
import { GraphTokens } from '../src/graph-tokens.js';
import type { HttpsServer } from './support/https-server.js';
import { startHttpsServer } from './support/https-server.js';

const SECRET = 'very-secret-value';

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Never answers. */
  readonly hang?: boolean;
}

let server: HttpsServer;
let seen: { readonly line: string; readonly form: URLSearchParams }[] = [];
/** What the token endpoint answers; by default a token of the tenant. */
let answer: Answer | undefined;
/** What discovery answers; by default the endpoints of the tenant. */
let discovery: Answer | undefined;
let issued = 0;

beforeAll(async () => {
  server = await startHttpsServer((request, body, response) => {
    const path = request.url?.replace(/\?.*/, '') ?? '';
    const tenant = path.split('/')[1] ?? '';
    seen.push({ line: `${request.method} ${path}`, form: new URLSearchParams(body) });
    const isDiscovery = path.endsWith('/.well-known/openid-configuration');
    const said = isDiscovery
      ? (discovery ?? discoveryOf(`${server.url}/${tenant}`))
      : (answer ?? tokenOf(tenant));
    const { status = 200, headers, hang } = said;
    if (hang === true) return;
    response.writeHead(status, headers);
    response.end(typeof said.body === 'string' ? said.body : JSON.stringify(said.body));
  });
});

afterAll(() => server.close());

beforeEach(() => {
  seen = [];
  answer = undefined;
  discovery = undefined;
  issued = 0;
});

function discoveryOf(base: string): Answer {
  return {
    body: {
      issuer: `${base}/v2.0`,
      token_endpoint: `${base}/oauth2/v2.0/token`,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      jwks_uri: `${base}/discovery/v2.0/keys`,
    },
  };
}

function tokenOf(tenant: string): Answer {
  issued += 1;
  const expires = { expires_in: 3_599, ext_expires_in: 3_599 };
  return { body: { token_type: 'Bearer', access_token: `${tenant}/${issued}`, ...expires } };
}

interface Setting {
  readonly authorityBaseUrl?: string;
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
}

const opened: GraphTokens[] = [];

afterEach(() => {
  for (const source of opened.splice(0)) source.close();
});

function tokens({ authorityBaseUrl = `${server.url}/`, ...options }: Setting = {}): GraphTokens {
  const source = new GraphTokens({
    endpoints: { ...GLOBAL_CLOUD, authorityBaseUrl },
    clientId: 'app-1',
    credential: { kind: 'secret', clientSecret: SECRET },
    clock: systemClock,
    fetch: server.fetch,
    ...options,
  });
  opened.push(source);
  return source;
}

async function failure(source: GraphTokens, tenantId = 't-1'): Promise<GraphError> {
  const error = await source.token(tenantId).catch((caught: unknown) => caught);
  if (!(error instanceof GraphError)) throw new Error(`expected a GraphError, got ${error}`);
  expect(`${error} ${error.fix}`).not.toContain(SECRET);
  return error;
}

function refusal(number: number, status = 401): Answer {
  return {
    status,
    body: { error: 'x', error_description: `AADSTS${number}: No.`, error_codes: [number] },
  };
}

describe('GraphTokens', () => {
  it("asks the tenant's authority, and nobody else, as a confidential client", async () => {
    expect(await tokens().token('t-1')).toBe('t-1/1');
    expect(seen.map(({ line }) => line)).toEqual([
      'GET /t-1/v2.0/.well-known/openid-configuration',
      'POST /t-1/oauth2/v2.0/token',
    ]);
    expect(Object.fromEntries(seen[1]?.form ?? [])).toMatchObject({
      grant_type: 'client_credentials',
      client_id: 'app-1',
      client_secret: SECRET,
      scope: 'https://graph.microsoft.com/.default',
    });
  });

  it('keeps a token of each tenant', async () => {
    const source = tokens();
    const first = [await source.token('t-1'), await source.token('t-2')];
    expect([await source.token('t-1'), await source.token('T-2')]).toEqual(first);
    expect(issued).toBe(2);
  });

  it('asks once for all who ask at the same time', async () => {
    const source = tokens();
    const all = await Promise.all(Array.from({ length: 5 }, () => source.token('t-1')));
    expect(new Set(all)).toEqual(new Set(['t-1/1']));
  });

  it('renews a token that is about to expire', async () => {
    const source = tokens();
    answer = { body: { token_type: 'Bearer', access_token: 'short', expires_in: 0 } };
    expect(await source.token('t-1')).toBe('short');
    answer = undefined;
    // Its end is rounded to seconds: it may serve for a moment yet.
    const renewed = async () => (await source.token('t-1')) !== 'short';
    await vi.waitUntil(renewed, { timeout: 20_000, interval: 5 });
    expect(await source.token('t-1')).toMatch(/^t-1\/\d+$/);
  });

  it.each([
    [7000215, /secret's value/],
    [700016, /consent/],
    [90002, /tenant/],
    [999999, /GRAPH_CLIENT_ID/],
  ])('says what to do about AADSTS%i', async (number, fix) => {
    answer = refusal(number);
    const error = await failure(tokens());
    expect(error).toMatchObject({
      code: 'graph_token_refused',
      status: 401,
      mayHaveHappened: false,
    });
    expect(error.message).toContain(`AADSTS${number}`);
    expect(error.fix).toMatch(fix);
  });

  it('finds the number of a tenant that discovery does not know', async () => {
    discovery = refusal(90002, 400);
    const error = await failure(tokens());
    expect([error.code, error.status]).toEqual(['graph_token_refused', 400]);
    expect(error.message).toContain('AADSTS90002');
  });

  it.each([
    [
      'throttling',
      { status: 429, headers: { 'retry-after': '7' }, body: { error: 'busy' } },
      429,
      7_000,
    ],
    ['a failure', { status: 500, body: { error: 'oops' } }, 500, undefined],
    ['no JSON', { status: 503, body: '<html>' }, 503, undefined],
  ] as const)('calls it a passing failure: %s', async (_name, said, status, retryAfterMs) => {
    answer = said;
    const error = await failure(tokens());
    expect(error).toMatchObject({ code: 'graph_token_unavailable', status, retryAfterMs });
  });

  it('gets a token once the failure has passed', async () => {
    const source = tokens();
    discovery = { status: 503, body: 'away' };
    await failure(source);
    discovery = undefined;
    expect(await source.token('t-1')).toBe('t-1/1');
  });

  it.each([
    ['an answer that is no JSON', 'created'],
    ['an answer without a token', {}],
  ])('never takes %s for a token', async (_name, body) => {
    answer = { body };
    expect((await failure(tokens())).code).toBe('graph_token_refused');
  });

  it('gives up after its time', async () => {
    answer = { hang: true };
    const error = await failure(tokens({ timeoutMs: 200 }));
    expect(error.code).toBe('graph_token_unavailable');
    expect(error.message).toContain('no answer in time');
  });

  it('says that the certificate is not trusted', async () => {
    const error = await failure(tokens({ fetch }));
    expect(error.code).toBe('graph_token_unavailable');
    expect(error.message).toMatch(/SELF_SIGNED|UNABLE_TO_VERIFY/);
  });

  it('says that nobody is there', async () => {
    const gone = await startHttpsServer(() => {});
    await gone.close();
    const source = tokens({ authorityBaseUrl: gone.url });
    const error = await failure(source);
    expect(error.code).toBe('graph_token_unavailable');
    expect(error.message).toContain('ECONNREFUSED');
  });
});

describe('scopeOf', () => {
  it.each([
    ['https://graph.microsoft.com/v1.0', 'https://graph.microsoft.com/.default'],
    ['https://graph.microsoft.us/v1.0', 'https://graph.microsoft.us/.default'],
    ['https://127.0.0.1:8443/v1.0', 'https://graph.microsoft.com/.default'],
  ])('of %s is %s', (graphBaseUrl, scope) => {
    expect(scopeOf(graphResource({ ...GLOBAL_CLOUD, graphBaseUrl }))).toBe(scope);
  });
});
