import { CodedError, VirtualClock } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import { Registry } from '@earshot/registry';
import type { TestRedis } from '@earshot/test-kit';
import { startTestRedis } from '@earshot/test-kit';
import type { FastifyInstance } from 'fastify';
import { fastify } from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { requireApiKey } from '../src/rest/api-keys.js';
import type { OnceAnswer, OnceWork } from '../src/rest/idempotency.js';
import { IdempotentRequests } from '../src/rest/idempotency.js';
import { answerWithProblems, FinalProblem, Problem } from '../src/rest/problem.js';

const REFUSAL = { status: 409, code: 'call_not_live', title: 'No', detail: 'Cannot: no' };

describe('requests with an Idempotency-Key', () => {
  let redis: TestRedis;
  let registry: Registry;
  let app: FastifyInstance;
  let clock: VirtualClock;
  let handled: string[];
  let work: Pick<OnceWork, 'handle' | 'recover'>;
  let keys = 0;
  let key: string;

  beforeAll(async () => {
    redis = await startTestRedis();
    registry = new Registry({ redisUrl: redis.url, clock: systemClock });
    clock = new VirtualClock();
    const idempotent = new IdempotentRequests({ requests: registry.requests, clock });
    app = fastify();
    answerWithProblems(app, { error() {} });
    requireApiKey(app, [], async () => {});
    app.post('/things', (request, reply) =>
      idempotent.once(request, reply, {
        body: request.body,
        async handle(token) {
          handled.push(token);
          return work.handle(token);
        },
        ...(work.recover === undefined ? {} : { recover: work.recover }),
      }),
    );
    await app.ready();
  });

  beforeEach(() => {
    handled = [];
    keys += 1;
    key = `key-${keys}`;
  });

  afterAll(async () => {
    await app.close();
    await registry.close();
    await redis.close();
  });

  it('are answered the same again: status, Location and body', async () => {
    work = made;
    const first = await post({ a: 1 });
    const second = await post({ a: 1 });
    expect(first.statusCode).toBe(201);
    expect(second.statusCode).toBe(201);
    expect(second.headers['location']).toBe(first.headers['location']);
    expect(second.json()).toEqual(first.json());
    expect(handled).toHaveLength(1);
  });

  it('without a key are all carried out', async () => {
    work = made;
    for (const _ of [1, 2]) await app.inject({ method: 'POST', url: '/things', payload: {} });
    expect(new Set(handled).size).toBe(2);
  });

  it('are free again when nothing was begun', async () => {
    const failures = [
      new Problem(REFUSAL),
      new CodedError('webhook_not_found', 'Cannot find'),
      new Problem({ ...REFUSAL, status: 503, code: 'no_media_host' }),
    ];
    for (const failure of failures) {
      work = { handle: () => Promise.reject(failure) };
      expect((await post({})).json()).toMatchObject({ code: failure.code });
    }
    work = made;
    expect((await post({})).statusCode).toBe(201);
    expect(handled).toHaveLength(4);
  });

  it('get a final failure again, with all that it said', async () => {
    const problem = { ...REFUSAL, fix: 'Do.', resultCode: 403, resultSubcode: 7504 };
    work = { handle: () => Promise.reject(new FinalProblem(problem)) };
    const first = await post({});
    work = made;
    const second = await post({});
    expect(second.json()).toEqual(first.json());
    expect(second.json()).toMatchObject({ fix: 'Do.', resultSubcode: 7504 });
    expect(handled).toHaveLength(1);
  });

  it('of a process that died are never carried out again', async () => {
    work = { handle: () => Promise.reject(new Error('died')) };
    expect((await post({})).statusCode).toBe(500);
    work = made;
    const soon = await post({});
    expect(soon.json()).toMatchObject({ status: 409, code: 'request_in_progress' });
    expect(soon.headers['retry-after']).toBe('1');
    clock.advance(60_000);
    expect((await post({})).json()).toMatchObject({ status: 409, code: 'request_outcome_unknown' });
    work = { ...made, recover: async (token) => answerOf(token) };
    const recovered = await post({});
    expect(recovered.json()).toEqual({ token: handled[0] });
    expect(handled).toHaveLength(1);
  });

  it.each(['', 'x'.repeat(256)])('refuses the key %j', async (given) => {
    work = made;
    key = given;
    expect((await post({})).json()).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(handled).toEqual([]);
  });

  function post(payload: object) {
    const headers = { 'idempotency-key': key };
    return app.inject({ method: 'POST', url: '/things', headers, payload });
  }
});

const made: Pick<OnceWork, 'handle'> = { handle: async (token) => answerOf(token) };

function answerOf(token: string): OnceAnswer {
  return { status: 201, location: `/things/${token}`, body: { token } };
}
