import { MEDIA_SUBPROTOCOL } from '@earshot/bridge-protocol';
import { NotApplicable, require } from '../outcome.js';
import type { UpgradeAnswer } from '../upgrade-request.js';
import type { WorkerRule, WorkerTest } from './worker-test.js';

/** What the worker makes of upgrade requests and tokens. */
export const UPGRADE_RULES: readonly WorkerRule[] = [
  {
    id: 'U-3',
    title: 'a proper upgrade request is answered 101 with the subprotocol',
    async check(test) {
      requireAgreed(await test.upgrade());
    },
  },
  {
    id: 'V-4',
    title: 'of several subprotocols offered the known one is picked',
    async check(test) {
      const offered = `somebody.else.v7, ${MEDIA_SUBPROTOCOL}`;
      requireAgreed(await test.upgrade({ 'sec-websocket-protocol': offered }));
    },
  },
  {
    id: 'U-4',
    title: 'an extension that is offered is not negotiated',
    async check(test) {
      const offered = 'permessage-deflate; client_max_window_bits';
      const answer = await test.upgrade({ 'sec-websocket-extensions': offered });
      const chosen = answer.headers['sec-websocket-extensions'];
      require(answer.status === 101, 'status 101', `status ${answer.status}`);
      require(chosen === undefined, 'no extension', chosen);
    },
  },
  refused('U-7.missing', 'no subprotocol: 400 subprotocol_required', 400, {
    'sec-websocket-protocol': undefined,
  }),
  refused('U-7.unknown', 'an unknown subprotocol: 400 subprotocol_required', 400, {
    'sec-websocket-protocol': 'earshot.media.v999',
  }),
  refused('U-6.missing', 'no token: 401', 401, { authorization: undefined }),
  refused('U-6.malformed', 'a token that is none: 401', 401, {
    authorization: 'Bearer nonsense',
  }),
  refused('U-6.scheme', 'another scheme than Bearer: 401', 401, {
    authorization: 'Basic ZWFyc2hvdDplYXJzaG90',
  }),
  refused('U-6.first', 'no token and no subprotocol: 401, the token is judged first', 401, {
    authorization: undefined,
    'sec-websocket-protocol': undefined,
  }),
  {
    id: 'U-6.challenge',
    title: 'a 401 has WWW-Authenticate: Bearer',
    async check(test) {
      const { status, headers } = await test.upgrade({ authorization: undefined });
      require(status >= 400, 'a refusal', `status ${status}`);
      const challenge = String(headers['www-authenticate'] ?? 'none');
      require(/^bearer\b/i.test(challenge), 'WWW-Authenticate: Bearer', challenge);
    },
  },
  refusedToken('U-6.expired', 'an expired token: 401', (test) =>
    test.forge({ issuedAtMs: test.clock.wallclockMs() - 3_600_000, ttlMs: 60_000 }),
  ),
  refusedToken('U-6.wrong-key', 'a token signed with another key: 401', (test) =>
    test.forge({ key: new Uint8Array(32).fill(0xa5) }),
  ),
  refusedToken('U-6.unsigned', 'a token of algorithm none: 401', (test) =>
    test.forge({ key: null }),
  ),
  refusedToken('U-6.tampered', 'a token whose claims were changed: 401', async (test) => {
    const [header, , signature] = (await test.forge()).split('.');
    const [, payload] = (await test.forge({ callId: 'c_somebody-else' })).split('.');
    return `${header}.${payload}.${signature}`;
  }),
  refusedToken('U-6.issuer', 'a token of another issuer: 401', (test) =>
    test.forge({ issuer: 'somebody-else' }),
  ),
  refusedToken('U-6.other-worker', 'a token for another worker: 401', (test) =>
    test.forge({ workerId: 'w_somebody-else' }),
  ),
  {
    id: 'U-8',
    title: 'a path where no link lives: 404',
    async check(test) {
      const url = new URL(test.url);
      url.pathname += '-of-nobody';
      const { status } = await test.upgrade({}, url.href);
      require(status === 404, 'status 404', `status ${status}`);
    },
  },
  {
    id: 'U-5',
    title: 'a refusal says status, title and code as application/problem+json',
    async check(test) {
      const { status, headers, body } = await test.upgrade({ authorization: undefined });
      require(status >= 400, 'a refusal', `status ${status}`);
      const type = String(headers['content-type'] ?? 'none');
      require(type.startsWith('application/problem+json'), 'application/problem+json', type);
      const problem = parseObject(body);
      const isWhole =
        problem?.['status'] === status &&
        typeof problem['title'] === 'string' &&
        typeof problem['code'] === 'string';
      require(isWhole, '{"status","title","code"}', body === '' ? 'no body' : body);
    },
  },
];

function requireAgreed({ status, headers }: UpgradeAnswer): void {
  require(status === 101, 'status 101', `status ${status}`);
  const chosen = headers['sec-websocket-protocol'];
  require(chosen === MEDIA_SUBPROTOCOL, MEDIA_SUBPROTOCOL, chosen ?? 'no subprotocol');
}

function refused(
  id: string,
  title: string,
  status: number,
  headers: Readonly<Record<string, string | undefined>>,
): WorkerRule {
  return {
    id,
    title,
    async check(test) {
      const answer = await test.upgrade(headers);
      require(answer.status === status, `status ${status}`, `status ${answer.status}`);
    },
  };
}

function refusedToken(
  id: string,
  title: string,
  tokenOf: (test: WorkerTest) => Promise<string>,
): WorkerRule {
  return {
    id,
    title,
    async check(test) {
      const { status } = await test.upgrade({ authorization: `Bearer ${await tokenOf(test)}` });
      require(status === 401, 'status 401', `status ${status}`);
    },
  };
}

/** @throws Mismatch unless the request was refused so, with a JSON body. */
export function requireRefusal(answer: UpgradeAnswer, status: number, code: string): void {
  require(answer.status === status, `status ${status}`, `status ${answer.status}`);
  const told = parseObject(answer.body)?.['code'];
  if (told === undefined) throw new NotApplicable('the refusal says no code', 'U-5');
  require(told === code, `code ${code}`, told);
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
