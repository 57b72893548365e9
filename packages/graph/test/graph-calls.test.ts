import { openProxyFetch } from '@earshot/proxy';
import { startTestProxy } from '@earshot/test-kit';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newCallBody } from '../src/bodies/new-call.js';
import { GLOBAL_CLOUD } from '../src/endpoints.js';
import { GraphCalls } from '../src/graph-calls.js';
import { GraphError } from '../src/graph-error.js';
import { failure, GraphStand } from './graph-stand.js';

const stand = new GraphStand();
let calls: GraphCalls;

beforeEach(async () => {
  await stand.open();
  calls = stand.client();
});

afterEach(() => stand.close());

const CALL = { tenantId: 't-1', graphCallId: 'g-1', media: 'appHosted' } as const;

const JOIN = {
  target: {
    kind: 'organizer',
    threadId: '19:meeting_a@thread.v2',
    messageId: '0',
    tenantId: 't-1',
    organizerId: 'o-1',
  },
  tenantId: 't-1',
  callbackUri: 'https://calls.example/v1/callbacks/k',
  media: { kind: 'appHosted', blob: 'opaque' },
  scenarioId: '6a1f6f9e-0000-4000-8000-000000000000',
} as const;

describe('behind a proxy', () => {
  it.each([
    [407, 'proxy_refused'],
    [502, 'proxy_unavailable'],
  ])('that answers %i nothing was sent, and the proxy is named as %s', async (status, why) => {
    const proxy = await startTestProxy();
    proxy.answer = status;
    const secret = proxy.url.replace('//', '//jo:secret@');
    const outside = openProxyFetch({ http: undefined, https: secret, noProxy: [] });
    const endpoints = { ...GLOBAL_CLOUD, graphBaseUrl: 'https://graph.invalid/v1.0' };
    const error = await failure(stand.client({ endpoints, fetch: outside.fetch }).create(JOIN));
    expect(error).toMatchObject({ code: 'graph_unreachable', mayHaveHappened: false });
    expect(error.message).toContain(why);
    expect(`${error.stack}`).not.toContain('secret');
    expect(proxy.visits.map(({ target }) => target)).toEqual(['graph.invalid:443']);
    await outside.close();
    await proxy.close();
  });
});

describe('GraphCalls.create', () => {
  it('posts a join with app-hosted media and reads the call', async () => {
    stand.answer = {
      status: 201,
      body: JSON.stringify({
        id: 'g-1',
        state: 'establishing',
        myParticipantId: 'p',
        callChainId: 'c',
        x: 1,
      }),
    };
    expect(await calls.create(JOIN)).toEqual({
      graphCallId: 'g-1',
      state: 'establishing',
      myParticipantId: 'p',
      callChainId: 'c',
    });
    const [request] = stand.seen;
    expect([request?.method, request?.url]).toEqual(['POST', '/v1.0/communications/calls']);
    expect(request?.headers).toMatchObject({
      authorization: 'Bearer token-of-t-1',
      'content-type': 'application/json',
      'scenario-id': JOIN.scenarioId,
      'user-agent': 'Earshot',
    });
    expect(JSON.parse(request?.body ?? '')).toEqual({
      '@odata.type': '#microsoft.graph.call',
      callbackUri: JOIN.callbackUri,
      requestedModalities: ['audio'],
      mediaConfig: { '@odata.type': '#microsoft.graph.appHostedMediaConfig', blob: 'opaque' },
      chatInfo: {
        '@odata.type': '#microsoft.graph.chatInfo',
        threadId: '19:meeting_a@thread.v2',
        messageId: '0',
      },
      meetingInfo: {
        '@odata.type': '#microsoft.graph.organizerMeetingInfo',
        organizer: {
          '@odata.type': '#microsoft.graph.identitySet',
          user: { '@odata.type': '#microsoft.graph.identity', id: 'o-1', tenantId: 't-1' },
        },
        allowConversationWithoutHost: true,
      },
      tenantId: 't-1',
    });
  });

  it('names a meeting by id without chatInfo, and a guest by name', () => {
    const target = { kind: 'joinMeetingId', joinMeetingId: '123', tenantId: 't-1' } as const;
    const body = newCallBody({ ...JOIN, target, displayName: 'Notes' });
    expect(body).not.toHaveProperty('chatInfo');
    expect(body['meetingInfo']).toEqual({
      '@odata.type': '#microsoft.graph.joinMeetingIdMeetingInfo',
      joinMeetingId: '123',
      passcode: null,
    });
    expect(body).toHaveProperty('source.identity.guest.displayName', 'Notes');
  });

  it.each([
    ['no JSON', 'created'],
    ['no id', '{"state":"establishing"}'],
  ])('refuses an answer with %s, and says that the call may exist', async (_name, body) => {
    stand.answer = { status: 201, body };
    const error = await failure(calls.create(JOIN));
    expect([error.code, error.mayHaveHappened]).toEqual(['graph_answer_unreadable', true]);
  });

  it('gives up after its time, and says that the call may exist', async () => {
    stand.answer = { hang: true };
    const error = await failure(stand.client({ timeoutMs: 20 }).create(JOIN));
    expect([error.code, error.status, error.mayHaveHappened]).toEqual(['graph_timeout', 0, true]);
  });

  it('says when Graph can not be reached, and that there is no call then', async () => {
    await stand.close();
    const error = await failure(calls.create(JOIN));
    expect([error.code, error.mayHaveHappened]).toEqual(['graph_unreachable', false]);
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('says that the call may exist when the connection is cut', async () => {
    stand.answer = { cut: true };
    const error = await failure(calls.create(JOIN));
    expect([error.code, error.mayHaveHappened]).toEqual(['graph_unreachable', true]);
  });

  it('passes on why there is no token, and asks nothing of Graph', async () => {
    const refused = new GraphError('graph_token_refused', 'Cannot get a token');
    const tokens = { token: () => Promise.reject(refused) };
    const tokenless = new GraphCalls({
      endpoints: { ...GLOBAL_CLOUD, graphBaseUrl: stand.baseUrl },
      tokens,
    });
    expect(await failure(tokenless.create(JOIN))).toBe(refused);
    expect(stand.seen).toEqual([]);
  });
});

describe('refusals', () => {
  it.each([
    ['subcode as code', '{"error":{"code":"7504","message":"Insufficient permissions."}}', 7504],
    ['subcode in words', '{"error":{"code":"Forbidden","message":"Failed. Subcode: 7505."}}', 7505],
    ['code/subcode', '{"error":{"code":"Forbidden","message":"Result 403/7503, see docs"}}', 7503],
    ['DiagCode', '{"error":{"code":"Forbidden","message":"No. DiagCode: 403#7504.@"}}', 7504],
    ['none', '{"error":{"code":"Forbidden","message":"No."}}', undefined],
    ['no JSON', '<html>403</html>', undefined],
  ])('finds the result code: %s', async (_name, body, subcode) => {
    stand.answer = {
      status: 403,
      body,
      headers: {
        'request-id': 'r-1',
        'x-ms-ags-diagnostic': `{"ServerInfo":"${'x'.repeat(900)}"}`,
      },
    };
    const error = await failure(calls.keepAlive({ ...CALL, scenarioId: 'sc-1' }));
    expect(error).toMatchObject({ code: 'graph_refused', status: 403, subcode, requestId: 'r-1' });
    expect(error.mayHaveHappened).toBe(false);
    expect(error.diagnostic).toMatch(/^\{"ServerInfo".{480,}$/);
    expect(error.diagnostic).toHaveLength(500);
    const [request] = stand.seen;
    expect(request?.headers).toMatchObject({
      'client-request-id': error.clientRequestId,
      'scenario-id': 'sc-1',
    });
  });

  it('finds the id of the request in the body where no header has it', async () => {
    const innerError = { 'request-id': 'r-2' };
    stand.answer = { status: 400, body: JSON.stringify({ error: { code: '2203', innerError } }) };
    expect((await failure(calls.delete(CALL))).requestId).toBe('r-2');
  });

  it('tells how long to wait when throttled', async () => {
    stand.answer = { status: 429, headers: { 'retry-after': '7' } };
    const error = await failure(calls.mute(CALL));
    expect([error.code, error.retryAfterMs]).toEqual(['graph_throttled', 7_000]);
  });

  it('survives any body (property)', async () => {
    // 407 is the proxy's word: fetch itself takes it for a failed connection.
    const status = fc.integer({ min: 400, max: 599 }).filter((code) => code !== 407);
    await fc.assert(
      fc.asyncProperty(fc.string(), status, async (body, code) => {
        stand.answer = { status: code, body };
        expect((await failure(calls.get(CALL))).status).toBe(code);
      }),
      { numRuns: 40 },
    );
  });
});
