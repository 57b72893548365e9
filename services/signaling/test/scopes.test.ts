import { fastify } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireApiKey } from '../src/rest/api-keys.js';
import { requireScopes } from '../src/rest/scopes.js';
import type { Problem } from './support/harness.js';
import { Harness } from './support/harness.js';

const READER = 'key-that-may-read-calls';
const PLAYER = 'key-that-may-play-audio';
const CONTROLLER = 'key-that-may-control-calls';
const KEYS = [
  { id: 'controller', key: CONTROLLER, scopes: ['calls:write', 'calls:control'] },
  { id: 'reader', key: READER, scopes: ['calls:read'] },
  { id: 'player', key: PLAYER, scopes: ['media:play', 'hosts:read'] },
];

describe('scopes of API keys', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await Harness.open();
    await harness.start({ environment: { EARSHOT_API_KEYS: JSON.stringify(KEYS) } });
  });

  afterAll(() => harness.close());

  const as = (key: string) => ({ authorization: `Bearer ${key}` });

  it.each([
    [READER, 'GET', '/v1/calls', 200],
    [READER, 'HEAD', '/v1/calls', 200],
    [PLAYER, 'GET', '/v1/hosts', 200],
    [PLAYER, 'DELETE', '/v1/calls/c_unknown/plays/p_unknown', 404],
  ])('lets %s through: %s %s', async (key, method, path, status) => {
    const response = await fetch(harness.signaling.url + path, { method, headers: as(key) });
    expect(response.status).toBe(status);
  });

  it.each([
    [READER, 'POST', '/v1/calls', 'calls:write'],
    [READER, 'DELETE', '/v1/calls/c_unknown', 'calls:write'],
    [READER, 'GET', '/v1/hosts', 'hosts:read'],
    [READER, 'GET', '/v1/webhooks', 'webhooks:manage'],
    [READER, 'GET', '/v1/events', 'events:read'],
    [READER, 'GET', '/v1/calls/c_unknown/events', 'events:read'],
    [READER, 'POST', '/v1/calls/c_unknown/play', 'media:play'],
    [CONTROLLER, 'POST', '/v1/calls/c_unknown/recording-status', 'recording:declare'],
    [CONTROLLER, 'POST', '/v1/calls/c_unknown/recording-declaration', 'recording:declare'],
    [CONTROLLER, 'GET', '/v1/audit', 'audit:read'],
    [PLAYER, 'GET', '/v1/calls/c_unknown/plays', 'calls:read'],
  ])('refuses %s and names the scope: %s %s', async (key, method, path, scope) => {
    const body = method === 'POST' ? {} : undefined;
    const answer = await harness.request<Problem>(method, path, body, as(key));
    expect(answer.body).toMatchObject({ status: 403, code: 'missing_scope' });
    expect(answer.body.detail).toContain(`scope ${scope},`);
    expect(answer.headers.get('www-authenticate')).toContain(`scope="${scope}"`);
    expect(answer.status).toBe(403);
  });

  it('knows no other key, and leaves EARSHOT_API_KEY all scopes', async () => {
    expect((await harness.get('/v1/webhooks')).status).toBe(200);
    const other = await harness.request<Problem>('GET', '/v1/calls', undefined, as(`${READER}x`));
    expect(other.body).toMatchObject({ status: 401, code: 'unauthorized' });
  });

  it('shows the scope of each operation in the API description', async () => {
    const { body } = await harness.get<Document>('/openapi.json');
    const underDoor = Object.entries(body.paths).filter(
      ([path]) => path.startsWith('/v1/') && !path.startsWith('/v1/callbacks/'),
    );
    const scopes = underDoor.flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => {
        const scope = operation['x-required-scope'];
        expect(operation.security, `${method} ${path}`).toEqual([{ apiKey: [scope] }]);
        return [`${method} ${path}`, scope];
      }),
    );
    expect(Object.fromEntries(scopes)).toMatchObject({
      'post /v1/calls': 'calls:write',
      'get /v1/calls/{id}': 'calls:read',
      'delete /v1/calls/{id}/plays/{playId}': 'media:play',
    });
    for (const [operation, scope] of scopes) expect(scope, operation).toMatch(/^\w+:\w+$/);
  });
});

describe('requireScopes', () => {
  it.each([
    ['without a scope', undefined, 'GET /v1/x must have a scope'],
    ['with one', 'calls:read', undefined],
  ] as const)('at start-up, a route %s', async (_name, scope, failure) => {
    const app = fastify();
    app.register(async (door) => {
      requireApiKey(door, [], async () => {});
      requireScopes(door);
      door.register(async (inner) => {
        inner.get('/v1/x', scope === undefined ? {} : { config: { scope } }, () => 'x');
      });
    });
    const start = Promise.resolve(app.ready());
    if (failure !== undefined) return expect(start).rejects.toThrow(failure);
    await start;
    await app.close();
  });
});

interface Document {
  readonly paths: Record<
    string,
    Record<string, { readonly security?: unknown; readonly 'x-required-scope'?: string }>
  >;
}
