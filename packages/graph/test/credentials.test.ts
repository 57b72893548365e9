import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock } from '@earshot/async';
import { importX509, jwtVerify } from 'jose';
import { generate } from 'selfsigned';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GraphCredential } from '../src/credential.js';
import { GLOBAL_CLOUD } from '../src/endpoints.js';
import { GraphError } from '../src/graph-error.js';
import { GraphTokens } from '../src/graph-tokens.js';
import type { TokenServer } from './support/token-server.js';
import { refusal, startTokenServer } from './support/token-server.js';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

let server: TokenServer;
let folder: string;
let clock: VirtualClock;
const opened: GraphTokens[] = [];

beforeAll(async () => {
  server = await startTokenServer();
  folder = await mkdtemp(join(tmpdir(), 'earshot-tokens-'));
});

beforeEach(() => {
  clock = new VirtualClock();
  server.requests.length = 0;
});

afterEach(() => {
  for (const source of opened.splice(0)) source.close();
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

function tokens(credential: GraphCredential): GraphTokens {
  const source = new GraphTokens({
    endpoints: { ...GLOBAL_CLOUD, authorityBaseUrl: server.url },
    clientId: 'app-1',
    credential,
    clock,
    random: () => 0,
    fetch: server.fetch,
  });
  opened.push(source);
  return source;
}

async function failure(source: GraphTokens, tenantId = 't-1'): Promise<GraphError> {
  const error = await source.token(tenantId).catch((caught: unknown) => caught);
  if (!(error instanceof GraphError)) throw new Error(`expected a GraphError, got ${error}`);
  return error;
}

describe('a certificate', () => {
  async function keyPair() {
    const { cert, private: privateKey } = await generate(
      [{ name: 'commonName', value: 'earshot-bot' }],
      { keySize: 2048, algorithm: 'sha256' },
    );
    return { certificate: cert, privateKey };
  }

  it('signs what is sent to the token endpoint, for that endpoint and a short time', async () => {
    const pair = await keyPair();
    const other = await keyPair();
    expect(await tokens({ kind: 'certificate', ...pair }).token('t-1')).toBe('token-1-of-t-1');
    const { form } = server.requests[0] ?? { form: new URLSearchParams() };
    expect(form.get('client_assertion_type')).toBe(ASSERTION_TYPE);
    expect(form.has('client_secret')).toBe(false);
    const assertion = form.get('client_assertion') ?? '';
    const { payload, protectedHeader } = await jwtVerify(
      assertion,
      await importX509(pair.certificate, 'PS256'),
      // msal rounds to the next second, too.
      {
        clockTolerance: 5,
        algorithms: ['PS256'],
        audience: `${server.url}/t-1/oauth2/v2.0/token`,
        issuer: 'app-1',
      },
    );
    expect(payload.sub).toBe('app-1');
    expect((payload.exp ?? 0) - (payload.nbf ?? 0)).toBeLessThanOrEqual(600);
    expect(Object.keys(protectedHeader).sort()).toEqual(['alg', 'typ', 'x5t#S256']);
    const wrong = await importX509(other.certificate, 'PS256');
    await expect(jwtVerify(assertion, wrong)).rejects.toThrow('signature');
  });

  it('sends its chain when it is told to', async () => {
    const pair = await keyPair();
    await tokens({ kind: 'certificate', ...pair, sendChain: true }).token('t-1');
    const assertion = server.requests[0]?.form.get('client_assertion') ?? '';
    const header: unknown = JSON.parse(
      Buffer.from(assertion.split('.', 1)[0] ?? '', 'base64url').toString(),
    );
    const der = pair.certificate.replace(/-----[^-]+-----|\s/g, '');
    expect(header).toMatchObject({ x5c: [der] });
  });

  it('that the app does not have is refused with what to do', async () => {
    const { answer } = server;
    server.answer = () => refusal(700027);
    const error = await failure(tokens({ kind: 'certificate', ...(await keyPair()) }));
    server.answer = answer;
    expect(error).toMatchObject({ code: 'graph_token_refused', status: 401 });
    expect(error.fix).toContain('GRAPH_CERTIFICATE_FILE');
  });
});

describe('a federated token in a file', () => {
  it('is read again for each token', async () => {
    const path = join(folder, 'token');
    await writeFile(path, 'assertion-1\n');
    const source = tokens({ kind: 'federatedFile', path });
    await source.token('t-1');
    await writeFile(path, 'assertion-2');
    await source.token('t-2');
    await writeFile(path, 'assertion-3');
    clock.advance(46 * 60_000);
    await vi.waitUntil(() => server.requests.length === 4, { timeout: 20_000 });
    expect(server.requests.map(({ form }) => form.get('client_assertion'))).toEqual([
      'assertion-1',
      'assertion-2',
      'assertion-3',
      'assertion-3',
    ]);
    for (const { form } of server.requests) {
      expect(form.get('client_assertion_type')).toBe(ASSERTION_TYPE);
      expect(form.get('client_id')).toBe('app-1');
      expect(form.get('scope')).toBe('https://graph.microsoft.com/.default');
    }
  });

  it('must be there', async () => {
    const path = join(folder, 'absent');
    const error = await failure(tokens({ kind: 'federatedFile', path }));
    expect(error.code).toBe('graph_token_unavailable');
    expect(error.message).toContain('ENOENT');
    expect(error.fix).toContain(path);
    await writeFile(path, ' \n');
    expect((await failure(tokens({ kind: 'federatedFile', path }))).message).toContain('got none');
    expect(server.requests).toEqual([]);
  });

  it('that no federated credential matches is refused with what to do', async () => {
    const path = join(folder, 'token');
    await writeFile(path, 'assertion');
    const { answer } = server;
    server.answer = () => refusal(700213);
    const error = await failure(tokens({ kind: 'federatedFile', path }));
    server.answer = answer;
    expect(error.code).toBe('graph_token_refused');
    expect(error.fix).toContain('federated credential');
  });
});
