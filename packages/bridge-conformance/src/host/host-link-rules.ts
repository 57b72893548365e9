import { every } from '@earshot/async';
import { CLOSE, HOST_SUBPROTOCOL, LIMITS } from '@earshot/bridge-protocol';
import { Mismatch, NotApplicable, require } from '../outcome.js';
import type { HostRule, HostTest } from './host-test.js';
import type { SignalingPeer } from './signaling-peer.js';

const WELCOME_TIMEOUT_MS = 8000;
const LATE_MS = 3000;
const EARLY_MS = 100;
/** Short, so that liveness shows soon; the least that a welcome may say is 100. */
const PING_MS = 200;

/** Dialling, hello, messages and liveness of the host link. */
export const HOST_LINK_RULES: readonly HostRule[] = [
  {
    id: 'U-1',
    title: 'the host link is dialled with GET, version 13 and its subprotocol',
    async check(test) {
      await test.link();
      const { request } = test.stage.hostDials.items.at(-1)!;
      require(request.method === 'GET', 'GET', request.method);
      const version = request.headers['sec-websocket-version'];
      require(version === '13', 'Sec-WebSocket-Version 13', version);
      const offered = request.headers['sec-websocket-protocol'] ?? 'none';
      const isOffered = offered.split(',').some((name) => name.trim() === HOST_SUBPROTOCOL);
      require(isOffered, HOST_SUBPROTOCOL, offered);
    },
  },
  {
    id: 'U-2',
    title: 'the host key stands in Authorization: Bearer, not in the URL',
    async check(test) {
      await test.link();
      const { request } = test.stage.hostDials.items.at(-1)!;
      const { authorization = 'none' } = request.headers;
      // Never the key itself: the list is read by many.
      require(/^Bearer [\x21-\x7e]+$/i.test(authorization), 'Authorization: Bearer', 'another');
      const key = authorization.slice('Bearer '.length);
      require(!(request.url ?? '').includes(key), 'no key in the URL', 'the key');
    },
  },
  {
    id: 'O-1',
    title: 'hello is the first message, valid, and said once',
    async check(test) {
      const link = await test.stage.nextHostLink(PING_MS);
      const first = link.items.items[0];
      if (first?.kind !== 'text') throw new Mismatch('hello', first?.kind ?? 'nothing');
      require(link.faults.length === 0, 'a valid hello', link.faults[0]);
      const { type } = link.messages.items[0] ?? { type: first.text };
      require(type === 'hello', 'hello', type);
      await link.settle();
      const hellos = link.messages.items.filter((message) => message.type === 'hello').length;
      require(hellos === 1, 'one hello', hellos);
    },
  },
  {
    id: 'O-1.host-id',
    title: 'hostId is the same on every link',
    async check(test) {
      const before = await (await test.link()).hello();
      const after = await (await test.stage.nextHostLink(PING_MS)).hello();
      require(after.hostId === before.hostId, before.hostId, after.hostId);
    },
  },
  {
    id: 'J-1',
    title: 'every message on the host link is valid',
    async check(test) {
      const link = await test.link();
      const { attachment } = await test.attached();
      await link.answer(attachment.requestId, test.replyMs);
      await link.settle();
      require(link.faults.length === 0, 'valid messages', link.faults[0]);
    },
  },
  {
    id: 'O-5',
    title: 'the host says nothing between hello and welcome',
    async check(test) {
      const link = await test.stage.nextHostLink(undefined);
      await link.hello();
      const item = await link.items.find(() => true, test.quietMs, 1);
      require(item === undefined, 'nothing', item?.kind === 'text' ? item.text : item?.kind);
      link.welcome(PING_MS);
    },
  },
  {
    id: 'O-8.repeated',
    title: 'a second welcome: close 4400 welcome_repeated',
    async check(test) {
      const link = await test.stage.nextHostLink(PING_MS);
      await link.settle();
      link.welcome(PING_MS);
      const within = { withinMs: test.replyMs };
      await link.closes([CLOSE.protocolError], { reason: 'welcome_repeated', ...within });
    },
  },
  {
    id: 'O-8.early',
    title: 'another message before welcome: close 4400',
    async check(test) {
      const link = await test.stage.nextHostLink(undefined);
      await link.hello();
      link.say({ type: 'ping', id: 1 });
      await link.closes([CLOSE.protocolError], { withinMs: test.replyMs });
    },
  },
  {
    id: 'O-8.late',
    title: `no welcome within ${WELCOME_TIMEOUT_MS} ms: close 4408`,
    limitMs: 40_000,
    async check(test) {
      const link = await test.stage.nextHostLink(undefined);
      await link.hello();
      const { atMs } = await link.closes([CLOSE.helloTimeout], {
        withinMs: WELCOME_TIMEOUT_MS + LATE_MS,
      });
      const tookMs = Math.round(atMs - link.openedAtMs);
      const isOnTime = tookMs >= WELCOME_TIMEOUT_MS - EARLY_MS;
      require(isOnTime, `it not before ${WELCOME_TIMEOUT_MS} ms`, `after ${tookMs} ms`);
    },
  },
  closes('O-9', 'a binary message', CLOSE.protocolError, 'binary_message', (link) =>
    link.wire.send(Uint8Array.of(1, 1, 0, 0)),
  ),
  closes('J-6', 'a text that is no JSON', CLOSE.protocolError, 'invalid_json', (link) =>
    link.wire.send('nonsense'),
  ),
  closes('J-6.array', 'a JSON array', CLOSE.protocolError, 'invalid_json', (link) =>
    link.wire.send('[{"type":"ping","id":1}]'),
  ),
  closes('J-7', 'an attach without its token', CLOSE.protocolError, 'invalid_message', (link) => {
    const workerUrl = 'ws://127.0.0.1:1/';
    link.request({ type: 'attach', mediaId: 'm_1', callId: 'c_1', workerUrl, epoch: 1 });
  }),
  closes('J-7.type', 'a message without a type', CLOSE.protocolError, 'invalid_message', (link) =>
    link.say({ id: 1 }),
  ),
  closes('J-7.null', 'null for a member', CLOSE.protocolError, 'invalid_message', (link) =>
    link.say({ type: 'release', mediaId: null }),
  ),
  closes('J-8', 'a message of 65 537 bytes', CLOSE.tooLarge, 'too_large', (link) =>
    link.wire.send(padded(LIMITS.maxJsonBytes + 1)),
  ),
  {
    id: 'J-8.exact',
    title: 'a message of exactly 65 536 bytes is taken',
    async check(test) {
      const link = await test.link();
      link.wire.send(padded(LIMITS.maxJsonBytes));
      await link.settle();
    },
  },
  {
    id: 'J-3',
    title: 'a message of an unknown type is ignored: the link goes on',
    async check(test) {
      const link = await test.link();
      link.say({ type: 'conformanceProbe', mediaId: 7 });
      await link.settle();
    },
  },
  {
    id: 'J-2',
    title: 'unknown members are ignored',
    async check(test) {
      const link = await test.link();
      link.say({ type: 'release', mediaId: 'm_of-nobody', conformanceProbe: { nested: [null] } });
      await link.settle();
    },
  },
  {
    id: 'P-3.pong',
    title: 'a ping is answered by a pong of its id',
    async check(test) {
      const link = await test.link();
      for (const id of [0, 0xffff_ffff]) {
        link.say({ type: 'ping', id });
        const pong = await link.messages.find(
          (m) => m.type === 'pong' && m.id === id,
          test.replyMs,
        );
        link.requireOpen();
        require(pong !== undefined, `pong ${id}`, 'none');
      }
    },
  },
  {
    id: 'P-3.ping',
    title: 'the host pings at the pace of welcome',
    async check(test) {
      const link = await test.stage.nextHostLink(PING_MS);
      await requirePace(link, PING_MS);
    },
  },
  {
    id: 'P-5',
    title: 'signaling that is silent for two intervals: close 4408 peer_silent, not earlier',
    async check(test) {
      const link = await test.stage.nextHostLink(PING_MS);
      await link.settle();
      await requireSilenceNoticed(link);
    },
  },
  {
    id: 'P-4',
    title: 'pings of the WebSocket layer are no sign of life',
    async check(test) {
      const link = await test.stage.nextHostLink(PING_MS);
      await link.settle();
      const stop = every(test.clock, PING_MS / 2, () => link.wire.pingFrame());
      try {
        await requireSilenceNoticed(link);
      } finally {
        stop();
      }
    },
  },
  {
    id: 'U-10',
    title: 'a host link that is refused with 503 and 404 is dialled again',
    limitMs: 60_000,
    async check(test) {
      const link = await test.link();
      const from = test.stage.hostDials.items.length;
      test.stage.refusals.push(503, 404);
      await link.wire.close(CLOSE.goingAway, 'conformance');
      const third = await test.stage.hostDials.find(() => true, 45_000, from + 2);
      require(third !== undefined, 'a third dial', `${test.stage.hostDials.items.length - from}`);
    },
  },
  ...[CLOSE.goingAway, CLOSE.draining, CLOSE.busy, CLOSE.internal, CLOSE.helloTimeout].map(redials),
  {
    id: 'X-1',
    title: 'a host link closed with an unknown 4xxx or 45xx is dialled again',
    limitMs: 60_000,
    async check(test) {
      for (const code of [4499, 4599]) await requireRedial(test, code);
    },
  },
  {
    id: 'H-14.break',
    title: 'a host link that breaks is dialled again',
    limitMs: 60_000,
    async check(test) {
      const link = await test.link();
      const from = test.stage.linkCount;
      await link.wire.break();
      await test.link();
      require(test.stage.linkCount > from, 'another link', 'none');
    },
  },
  {
    id: 'X-2',
    title: 'the reason of a close is snake_case, at most 123 bytes',
    async check(test) {
      const link = await test.link();
      link.wire.send('nonsense');
      const withinMs = test.replyMs;
      const close = await link.items.find((item) => item.kind === 'close', withinMs);
      if (close?.kind !== 'close') throw new NotApplicable('the host closes nothing', 'J-6');
      const { reason } = close;
      require(/^[a-z0-9_]{0,123}$/.test(reason), 'a reason in snake_case', reason);
    },
  },
  dismissed('X-3.4409', 'closed with 4409', (link) => link.wire.close(CLOSE.conflict, 'replaced')),
  dismissed('X-3.4426', 'closed with 4426', (link) =>
    link.wire.close(CLOSE.unsupportedVersion, 'unsupported_version'),
  ),
  dismissed('U-10.401', 'refused with 401', async (link, test) => {
    const from = test.stage.hostDials.items.length;
    test.stage.refusals.push(401);
    await link.wire.close(CLOSE.goingAway, 'conformance');
    const dial = await test.stage.hostDials.find(() => true, 20_000, from);
    if (dial === undefined) throw new NotApplicable('the host does not dial again', 'H-14');
  }),
];

function closes(
  id: string,
  what: string,
  code: number,
  reason: string,
  send: (link: SignalingPeer) => void,
): HostRule {
  return {
    id,
    title: `${what} on the host link: close ${code} ${reason}`,
    limitMs: 40_000,
    async check(test) {
      const link = await test.link();
      send(link);
      await link.closes([code], { reason, withinMs: test.replyMs });
    },
  };
}

/** What only the operator can undo: the host is started anew after it, where the run knows how. */
function dismissed(
  id: string,
  what: string,
  dismiss: (link: SignalingPeer, test: HostTest) => Promise<void>,
): HostRule {
  return {
    id,
    title: `a host link ${what} is not dialled again until the operator says so`,
    isLast: true,
    limitMs: 60_000,
    async check(test) {
      const link = await test.link();
      await dismiss(link, test);
      const from = test.stage.hostDials.items.length;
      const dial = await test.stage.hostDials.find(() => true, test.noDialMs, from);
      require(dial === undefined, 'no dial', 'one');
      test.stage.isDismissed = true;
      await test.restart();
    },
  };
}

function redials(code: number): HostRule {
  return {
    id: `H-14.${code}`,
    title: `a host link closed with ${code} is dialled again`,
    limitMs: 40_000,
    check: (test) => requireRedial(test, code),
  };
}

async function requireRedial(test: HostTest, code: number): Promise<void> {
  const link = await test.link();
  const from = test.stage.hostDials.items.length;
  await link.wire.close(code, 'conformance');
  const dial = await test.stage.hostDials.find(() => true, 20_000, from);
  require(dial !== undefined, `another dial after close ${code}`, 'none');
}

async function requirePace(link: SignalingPeer, intervalMs: number): Promise<void> {
  const count = 5;
  const pings = (): number => link.messages.items.filter(({ type }) => type === 'ping').length;
  const isEnough = (): boolean => pings() >= count;
  await link.messages.find(isEnough, intervalMs * count * 2 + LATE_MS);
  link.requireOpen();
  require(isEnough(), `${count} pings`, pings());
  const tookMs = Math.round(link.clock.nowMs() - link.openedAtMs);
  const leastMs = intervalMs * (count - 2);
  require(tookMs >= leastMs, `${count} pings in ${leastMs} ms or more`, `in ${tookMs} ms`);
}

async function requireSilenceNoticed(link: SignalingPeer): Promise<void> {
  link.isAnswering = false;
  const startMs = link.clock.nowMs();
  const { atMs } = await link.closes([CLOSE.helloTimeout], {
    reason: 'peer_silent',
    withinMs: 3 * PING_MS + LATE_MS,
  });
  const tookMs = Math.round(atMs - startMs);
  const leastMs = LIMITS.maxMissedPings * PING_MS;
  require(tookMs >= leastMs - EARLY_MS, `it not before ${leastMs} ms`, `after ${tookMs} ms`);
}

function padded(bytes: number): string {
  const start = '{"type":"ping","id":77,"padding":"';
  return `${start}${'x'.repeat(bytes - start.length - 2)}"}`;
}
