import { every } from '@earshot/async';
import { CLOSE, LIMITS, MEDIA_SUBPROTOCOL } from '@earshot/bridge-protocol';
import { NotApplicable, require } from '../outcome.js';
import type { HostRule, HostTest } from './host-test.js';
import type { MediaPeer } from './media-peer.js';

const PING_MS = 200;
const LATE_MS = 3000;
const EARLY_MS = 100;
const REQUEST_TIMEOUT_MS = 10_000;

const WAY_BACK: ReadonlySet<string> = new Set([
  'sendOpened',
  'sendProgress',
  'marked',
  'cleared',
  'sendClosed',
]);

/** Dialling, hello, messages, liveness and closing of media links. */
export const MEDIA_LINK_RULES: readonly HostRule[] = [
  {
    id: 'U-1.media',
    title: 'workerUrl is dialled as it is, with the subprotocol',
    async check(test) {
      const { attachment, peer } = await test.attached();
      const { pathname, search } = new URL(attachment.url);
      require(peer.url === pathname + search, pathname + search, peer.url);
      const offered = peer.headers['sec-websocket-protocol'] ?? 'none';
      const isOffered = offered.split(',').some((name) => name.trim() === MEDIA_SUBPROTOCOL);
      require(isOffered, MEDIA_SUBPROTOCOL, offered);
    },
  },
  {
    id: 'U-2.media',
    title: 'the token of attach stands in Authorization: Bearer',
    async check(test) {
      const { attachment, peer } = await test.attached();
      const isToken = peer.headers.authorization === `Bearer ${attachment.token}`;
      require(isToken, 'Bearer and the token of attach', 'another');
    },
  },
  {
    id: 'O-1.media',
    title: 'hello is the first message on a media link, and valid',
    async check(test) {
      const session = await test.allocate();
      const attachment = await test.attach(session);
      const peer = await attachment.peer(0, test.replyMs, 'H-3');
      const first = await peer.heard.find(() => true, test.replyMs);
      const actual = first?.kind === 'badText' ? first.fault : (first?.kind ?? 'nothing');
      require(first?.kind === 'message' && first.message.type === 'hello', 'hello', actual);
    },
  },
  {
    id: 'M-1',
    title: 'hello names the callId and the epoch of attach',
    async check(test) {
      const { session, attachment, peer } = await test.attached();
      const { callId, epoch } = await peer.hello();
      const { mediaId } = await peer.hello();
      require(callId === session.callId, session.callId, callId);
      require(epoch === attachment.epoch, `epoch ${attachment.epoch}`, epoch);
      require(mediaId === session.mediaId, session.mediaId, mediaId);
    },
  },
  {
    id: 'T-3',
    title: 'mediaEpochTicks is the same in every hello of a call',
    limitMs: 40_000,
    async check(test) {
      const { session, attachment, peer } = await test.attached();
      const first = (await peer.hello()).mediaEpochTicks;
      await peer.wire.break();
      const again = await test.opened(attachment, 1, test.redialMs);
      const second = (await again.hello()).mediaEpochTicks;
      require(second === first, `${first} after a break`, second);
      const moved = await test.opened(await test.attach(session));
      const third = (await moved.hello()).mediaEpochTicks;
      require(third === first, `${first} to another worker`, third);
    },
  },
  {
    id: 'O-5.media',
    title: 'the host says nothing between hello and welcome',
    async check(test) {
      const { peer } = await test.attached({ welcomes: false });
      const item = await peer.heard.find(() => true, test.quietMs, 1);
      require(item === undefined, 'nothing', item);
      peer.welcome();
    },
  },
  {
    id: 'O-8.media-early',
    title: 'another message than error before welcome: close 4400',
    async check(test) {
      const { peer } = await test.attached({ welcomes: false });
      peer.say({ type: 'progress', streams: [], creditFrames: 100 });
      await peer.closes([CLOSE.protocolError], { withinMs: test.replyMs });
    },
  },
  closes('O-8.media', 'a second welcome', CLOSE.protocolError, 'welcome_repeated', (peer) =>
    peer.welcome(),
  ),
  closes('O-9.media', 'a binary message', CLOSE.protocolError, 'binary_message', (peer) =>
    peer.wire.send(Uint8Array.of(1, 2, 0, 0)),
  ),
  closes('J-6.media', 'a text that is no JSON', CLOSE.protocolError, 'invalid_json', (peer) =>
    peer.wire.send('nonsense'),
  ),
  closes('J-7.media', 'a bad progress', CLOSE.protocolError, 'invalid_message', (peer) =>
    peer.say({ type: 'progress', streams: [{ streamId: 0, received: 0, durable: 0 }] }),
  ),
  closes('J-8.media', 'a message of 65 537 bytes', CLOSE.tooLarge, 'too_large', (peer) => {
    const message = { type: 'conformanceProbe', padding: '' };
    const padding = 'x'.repeat(LIMITS.maxJsonBytes + 1 - JSON.stringify(message).length);
    peer.say({ ...message, padding });
  }),
  {
    id: 'J-9',
    title: 'a welcome of another version: close 4426, and the attach is refused',
    async check(test) {
      const link = await test.link();
      const { attachment, peer } = await test.attached({ welcomes: false });
      peer.welcome({ version: 2 });
      await peer.closes([CLOSE.unsupportedVersion], { withinMs: test.replyMs });
      const answer = await link.answer(attachment.requestId, REQUEST_TIMEOUT_MS);
      require(answer?.type === 'refused', 'refused', answer?.type ?? 'no answer');
    },
  },
  {
    id: 'J-3.media',
    title: 'unknown types and unknown members on a media link are ignored',
    async check(test) {
      const { peer } = await test.attached({ pingIntervalMs: PING_MS });
      peer.say({ type: 'conformanceProbe' });
      peer.say({ type: 'progress', streams: [], creditFrames: 500, conformanceProbe: null });
      await requirePings(peer, 2, test.replyMs);
    },
  },
  {
    id: 'W-3',
    title: 'a message of the way back is ignored on a link that did not agree on it',
    async check(test) {
      const { peer } = await test.attached({ pingIntervalMs: PING_MS });
      peer.say({ type: 'clear', streamId: 1 });
      await requirePings(peer, 2, test.replyMs);
    },
  },
  {
    id: 'W-4',
    title: 'the host says nothing of the way back unless welcome had send true',
    async check(test) {
      const { peer } = await test.attached({ pingIntervalMs: PING_MS });
      const stream = { streamId: 1, codec: 'pcm16', sampleRateHz: 16_000, firstSequence: 0 };
      peer.say({ type: 'sendOpen', sendId: 's_conformance', ...stream });
      peer.say({ type: 'mark', streamId: 1, name: 'm', sequence: 0 });
      peer.say({ type: 'sendClose', streamId: 1, nextSequence: 0 });
      await requirePings(peer, 2, test.replyMs);
      await peer.heard.find(() => false, test.quietMs);
      const told = peer.texts.find(({ type }) => WAY_BACK.has(type));
      require(told === undefined, 'nothing of the way back', told?.type);
    },
  },
  {
    id: 'P-1',
    title: 'pings come at the pace of welcome, their ids count up, their ticks go on',
    async check(test) {
      const { peer } = await test.attached({ pingIntervalMs: PING_MS });
      const startMs = test.clock.nowMs();
      await requirePings(peer, 5, LATE_MS + 5 * PING_MS);
      const tookMs = Math.round(test.clock.nowMs() - startMs);
      require(tookMs >= 3 * PING_MS, `5 pings in ${3 * PING_MS} ms or more`, `in ${tookMs} ms`);
      const pings = peer.texts.filter((message) => message.type === 'ping');
      for (const [n, ping] of pings.entries()) {
        const before = pings[n - 1];
        if (before === undefined) continue;
        require(ping.id === (before.id + 1) >>> 0, `id ${before.id + 1}`, `id ${ping.id}`);
        const goesOn = BigInt(ping.clockNowTicks) >= BigInt(before.clockNowTicks);
        require(goesOn, `ticks from ${before.clockNowTicks} on`, ping.clockNowTicks);
      }
    },
  },
  {
    id: 'P-5.media',
    title: 'a worker that is silent for two intervals: close 4408 peer_silent, not earlier',
    async check(test) {
      const { peer } = await test.attached({ pingIntervalMs: PING_MS });
      await requirePings(peer, 1, test.replyMs);
      peer.isAnswering = false;
      const startMs = test.clock.nowMs();
      const { atMs } = await peer.closes([CLOSE.helloTimeout], {
        reason: 'peer_silent',
        withinMs: 3 * PING_MS + LATE_MS,
      });
      const tookMs = Math.round(atMs - startMs);
      const leastMs = 2 * PING_MS - EARLY_MS;
      require(tookMs >= leastMs, `it not before ${leastMs} ms`, `after ${tookMs} ms`);
    },
  },
  {
    id: 'P-4.media',
    title: 'pings of the WebSocket layer are no sign of life of a worker',
    async check(test) {
      const { peer } = await test.attached({ pingIntervalMs: PING_MS });
      await requirePings(peer, 1, test.replyMs);
      peer.isAnswering = false;
      const stop = every(test.clock, PING_MS / 2, () => peer.wire.pingFrame());
      try {
        await peer.closes([CLOSE.helloTimeout], { withinMs: 3 * PING_MS + LATE_MS });
      } finally {
        stop();
      }
    },
  },
  {
    id: 'P-7',
    title: 'a worker that answers pings and tells no progress is alive',
    async check(test) {
      const { peer } = await test.attached({ pingIntervalMs: PING_MS, acknowledges: false });
      await requirePings(peer, 5, LATE_MS + 5 * PING_MS);
      peer.requireOpen();
    },
  },
  {
    id: 'O-11',
    title: 'after bye the host sends nothing but pings',
    async check(test) {
      const link = await test.link();
      const { session, peer } = await test.attached({ finishes: false, pingIntervalMs: PING_MS });
      link.say({ type: 'release', mediaId: session.mediaId });
      const bye = await peer.bye();
      require(bye !== undefined, 'bye', 'none');
      const at = peer.heard.items.findIndex(
        (item) => item.kind === 'message' && item.message.type === 'bye',
      );
      const after = await peer.heard.find(
        (item) => !(item.kind === 'message' && item.message.type === 'ping'),
        test.quietMs,
        at + 1,
      );
      require(after === undefined, 'nothing but ping', after?.kind);
    },
  },
  {
    id: 'M-15',
    title: 'after drain the link goes on, until an attach moves it',
    async check(test) {
      const { session, peer } = await test.attached({ pingIntervalMs: PING_MS });
      await requirePings(peer, 1, test.replyMs);
      peer.say({ type: 'drain', reason: 'conformance' });
      await requirePings(peer, 3, LATE_MS + 5 * PING_MS);
      require(!peer.texts.some(({ type }) => type === 'bye'), 'no bye before attach', 'bye');
      const next = await test.attach(session);
      const bye = await peer.bye();
      require(bye?.reason === 'reattach', 'bye reattach', bye?.reason ?? 'no bye');
      await test.opened(next);
    },
  },
  ...[1006, CLOSE.helloTimeout, CLOSE.busy, CLOSE.internal].map((code) =>
    redials(`R-12.${code}`, code),
  ),
  {
    id: 'R-12.token',
    title: 'after a break the host dials with the resumeToken of the last welcome',
    limitMs: 40_000,
    async check(test) {
      const { attachment, peer } = await test.attached({
        renewsToken: true,
        pingIntervalMs: PING_MS,
      });
      let last = peer;
      for (const n of [1, 2]) {
        await last.wire.break();
        const next = await test.opened(attachment, n, test.redialMs);
        const isToken = next.headers.authorization === `Bearer ${last.resumeToken}`;
        const isOld = next.headers.authorization === `Bearer ${attachment.token}`;
        require(isToken, `resumeToken ${n}`, isOld ? 'the token of attach' : 'another');
        await test.taken(next);
        last = next;
      }
    },
  },
  {
    id: 'R-12.401',
    title: 'after 401 to a redial the host waits for attach, and does as it says',
    limitMs: 40_000,
    async check(test) {
      const { session, attachment, peer } = await test.attached({ renewsToken: true });
      attachment.refusals.push(...Array.from({ length: 20 }, () => 401));
      await peer.wire.break();
      const dial = await attachment.dials.find(() => true, test.redialMs, 1);
      if (dial === undefined) throw new NotApplicable('the host does not dial again', 'R-12.1006');
      const again = await attachment.dials.find(() => true, test.noDialMs, 2);
      require(again === undefined, 'no dial after 401', 'one');
      await requireMoved(test, session);
    },
  },
  redials('X-1.4400', CLOSE.protocolError),
  redials('X-1.4499', 4499),
  redials('X-1.4599', 4599),
  ...[CLOSE.unauthorized, CLOSE.conflict, CLOSE.unsupportedVersion].map((code) =>
    waits(`X-3.media-${code}`, code),
  ),
  ...[CLOSE.goingAway, CLOSE.draining].map((code) => waits(`X-4.${code}`, code)),
  {
    id: 'R-13',
    title: 'a media link that is refused with 503 is dialled again, with back-off',
    limitMs: 40_000,
    async check(test) {
      const { attachment, peer } = await test.attached();
      const startMs = test.clock.nowMs();
      attachment.refusals.push(503, 503, 503);
      await peer.wire.break();
      const second = await attachment.peers.find(() => true, 4 * test.redialMs, 1);
      require(second !== undefined, 'a link after three refusals', 'none');
      const tookMs = Math.round(test.clock.nowMs() - startMs);
      // Full jitter may make one wait short, not four in a row.
      require(tookMs >= 20, 'four waits of 20 ms or more together', `${tookMs} ms`);
    },
  },
];

function closes(
  id: string,
  what: string,
  code: number,
  reason: string,
  send: (peer: MediaPeer) => void,
): HostRule {
  return {
    id,
    title: `${what} on a media link: close ${code} ${reason}`,
    async check(test) {
      const { peer } = await test.attached({ pingIntervalMs: PING_MS });
      await requirePings(peer, 1, test.replyMs);
      send(peer);
      await peer.closes([code], { reason, withinMs: test.replyMs });
    },
  };
}

function redials(id: string, code: number): HostRule {
  return {
    id,
    title: `after ${code} the host dials the same URL with the same token`,
    limitMs: 40_000,
    async check(test) {
      const { attachment, peer } = await test.attached();
      await end(peer, code);
      const dial = await attachment.dials.find(() => true, test.redialMs, 1);
      require(dial !== undefined, 'another dial', 'none');
      const isToken = dial.request.headers.authorization === `Bearer ${attachment.token}`;
      require(isToken, 'the same token', 'another');
      await test.opened(attachment, 1);
    },
  };
}

function waits(id: string, code: number): HostRule {
  return {
    id,
    title: `after ${code} the host waits for attach, and does as it says`,
    limitMs: 40_000,
    async check(test) {
      const { session, attachment, peer } = await test.attached();
      await end(peer, code);
      const dial = await attachment.dials.find(() => true, test.noDialMs, 1);
      require(dial === undefined, 'no other dial', 'one');
      await requireMoved(test, session);
    },
  };
}

async function requireMoved(
  test: HostTest,
  session: { readonly mediaId: string; readonly callId: string },
): Promise<void> {
  const next = await test.attach(session);
  const moved = await next.peers.find(() => true, test.replyMs);
  require(moved !== undefined, 'a dial after attach', 'none');
}

async function end(peer: MediaPeer, code: number): Promise<void> {
  if (code === 1006) await peer.wire.break();
  else await peer.wire.close(code, 'conformance');
}

async function requirePings(peer: MediaPeer, count: number, withinMs: number): Promise<void> {
  const pings = (): number => peer.texts.filter(({ type }) => type === 'ping').length;
  const isEnough = (): boolean => pings() >= count;
  await peer.heard.find(isEnough, withinMs);
  peer.requireOpen();
  require(isEnough(), `${count} pings`, pings());
}
