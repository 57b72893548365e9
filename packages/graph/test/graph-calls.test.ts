import type { IncomingMessage, Server } from 'node:http';
import { createServer } from 'node:http';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCallBody } from '../src/create-call-body.js';
import { GLOBAL_CLOUD } from '../src/endpoints.js';
import { GraphCalls } from '../src/graph-calls.js';
import { GraphError } from '../src/graph-error.js';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Never answers. */
  readonly hang?: boolean;
  /** Breaks the connection. */
  readonly cut?: boolean;
}

let server: Server;
let seen: Seen[] = [];
let answer: Answer = {};
let graphBaseUrl = '';
let calls: GraphCalls;

function client(timeoutMs?: number): GraphCalls {
  return new GraphCalls({
    endpoints: { ...GLOBAL_CLOUD, graphBaseUrl },
    tokens: { token: async (tenantId) => `token-of-${tenantId}` },
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
}

beforeEach(async () => {
  seen = [];
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    seen.push({ method: request.method, url: request.url, headers: request.headers, body });
    if (answer.hang === true) return;
    if (answer.cut === true) request.socket.destroy();
    else response.writeHead(answer.status ?? 200, answer.headers).end(answer.body ?? '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  graphBaseUrl = `http://127.0.0.1:${port}/v1.0`;
  calls = client();
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

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
  blob: 'opaque',
  scenarioId: '6a1f6f9e-0000-4000-8000-000000000000',
} as const;

async function failure(work: Promise<unknown>): Promise<GraphError> {
  const error = await work.catch((caught: unknown) => caught);
  if (error instanceof GraphError) return error;
  throw new Error(`expected a GraphError, got ${String(error)}`);
}

describe('GraphCalls.create', () => {
  it('posts a join with app-hosted media and reads the call', async () => {
    answer = {
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
    const [request] = seen;
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
    const body = createCallBody({ ...JOIN, target, displayName: 'Notes' });
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
    answer = { status: 201, body };
    const error = await failure(calls.create(JOIN));
    expect([error.code, error.mayHaveHappened]).toEqual(['graph_answer_unreadable', true]);
  });

  it('gives up after its time, and says that the call may exist', async () => {
    answer = { hang: true };
    const error = await failure(client(20).create(JOIN));
    expect([error.code, error.status, error.mayHaveHappened]).toEqual(['graph_timeout', 0, true]);
  });

  it('says when Graph can not be reached, and that there is no call then', async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const error = await failure(calls.create(JOIN));
    expect([error.code, error.mayHaveHappened]).toEqual(['graph_unreachable', false]);
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('says that the call may exist when the connection is cut', async () => {
    answer = { cut: true };
    const error = await failure(calls.create(JOIN));
    expect([error.code, error.mayHaveHappened]).toEqual(['graph_unreachable', true]);
  });

  it('passes on why there is no token, and asks nothing of Graph', async () => {
    const refused = new GraphError('graph_token_refused', 'Cannot get a token');
    const tokens = { token: () => Promise.reject(refused) };
    const tokenless = new GraphCalls({ endpoints: { ...GLOBAL_CLOUD, graphBaseUrl }, tokens });
    expect(await failure(tokenless.create(JOIN))).toBe(refused);
    expect(seen).toEqual([]);
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
    answer = { status: 403, body, headers: { 'request-id': 'r-1' } };
    const error = await failure(calls.keepAlive('t-1', 'g-1'));
    expect(error).toMatchObject({ code: 'graph_refused', status: 403, subcode, requestId: 'r-1' });
    expect(error.mayHaveHappened).toBe(false);
  });

  it('tells how long to wait when throttled', async () => {
    answer = { status: 429, headers: { 'retry-after': '7' } };
    const error = await failure(calls.mute('t-1', 'g-1'));
    expect([error.code, error.retryAfterMs]).toEqual(['graph_throttled', 7_000]);
  });

  it('survives any body (property)', async () => {
    // 407 is the proxy's word: fetch itself takes it for a failed connection.
    const status = fc.integer({ min: 400, max: 599 }).filter((code) => code !== 407);
    await fc.assert(
      fc.asyncProperty(fc.string(), status, async (body, code) => {
        answer = { status: code, body };
        expect((await failure(calls.get('t-1', 'g-1'))).status).toBe(code);
      }),
      { numRuns: 40 },
    );
  });
});

describe('the other methods', () => {
  it('use the paths of Graph', async () => {
    answer = { body: '{"value":[{"id":"p"}]}' };
    await calls.get('t', 'g/1');
    expect(await calls.listParticipants('t', 'g')).toEqual([{ id: 'p' }]);
    await calls.mute('t', 'g', 'why');
    await calls.unmute('t', 'g');
    await calls.updateRecordingStatus('t', 'g', 'recording', 'why');
    answer = { status: 204 };
    await calls.keepAlive('t', 'g');
    await calls.delete('t', 'g');
    expect(
      seen.map(({ method, url }) => `${method} ${url?.replace('/v1.0/communications/calls', '')}`),
    ).toEqual([
      'GET /g%2F1',
      'GET /g/participants',
      'POST /g/mute',
      'POST /g/unmute',
      'POST /g/updateRecordingStatus',
      'POST /g/keepAlive',
      'DELETE /g',
    ]);
    expect(seen[2]?.body).toBe('{"clientContext":"why"}');
    expect(seen[4]?.body).toBe('{"clientContext":"why","status":"recording"}');
  });

  it('refuses a roster that is no list', async () => {
    answer = { body: '{"value":{}}' };
    expect((await failure(calls.listParticipants('t', 'g'))).code).toBe('graph_answer_unreadable');
  });
});
