import { CLOSE, LIMITS, parseWorkerMessage } from '@earshot/bridge-protocol';
import { frameMessage, silentFrames } from '../frame-bytes.js';
import { Mismatch, require } from '../outcome.js';
import type { WorkerRule } from './worker-test.js';

/** A timer may be late by this, a machine being busy; never early. */
const LATE_MS = 3000;
/** But for the difference of two clocks. */
const EARLY_MS = 100;

/** What a host says that can send into the meeting. */
const SEND = { codecs: ['opus', 'pcm16'], maxStreams: 1, bufferFrames: 100 };
const WAY_BACK: ReadonlySet<string> = new Set(['sendOpen', 'sendClose', 'mark', 'clear']);

/** The first two messages of a link. */
export const HELLO_RULES: readonly WorkerRule[] = [
  {
    id: 'O-4',
    title: 'hello is answered by a valid welcome, and nothing comes before it',
    async check(test) {
      const link = await test.dial();
      link.say(link.hello);
      const first = await link.wire.next(test.replyMs);
      if (first?.kind !== 'text') {
        throw new Mismatch('welcome', first === undefined ? 'nothing' : first.kind);
      }
      const parsed = parseWorkerMessage(first.text);
      if (!parsed.ok) throw new Mismatch('a valid welcome', `${parsed.code}: ${parsed.detail}`);
      require(parsed.message.type === 'welcome', 'welcome', parsed.message.type);
    },
  },
  {
    id: 'O-4.unasked',
    title: 'the worker says nothing before hello',
    async check(test) {
      const link = await test.dial();
      const item = await link.wire.next(test.quietMs);
      require(item === undefined, 'nothing', item?.kind);
    },
  },
  {
    id: 'O-2',
    title: `no hello within ${LIMITS.helloTimeoutMs} ms: close 4408 hello_timeout`,
    limitMs: LIMITS.helloTimeoutMs + 2 * LATE_MS,
    async check(test) {
      const startMs = test.clock.nowMs();
      const link = await test.dial();
      const withinMs = LIMITS.helloTimeoutMs + LATE_MS;
      const { atMs } = await link.closes([CLOSE.helloTimeout], {
        reason: 'hello_timeout',
        withinMs,
      });
      const tookMs = Math.round(atMs - startMs);
      const isOnTime = tookMs >= LIMITS.helloTimeoutMs - EARLY_MS;
      require(isOnTime, `it not before ${LIMITS.helloTimeoutMs} ms`, `after ${tookMs} ms`);
    },
  },
  {
    id: 'O-3.message',
    title: 'a message before hello: close 4400 message_before_welcome',
    async check(test) {
      const link = await test.dial();
      link.say({ type: 'ping', id: 1, clockNowTicks: '1' });
      await link.closes([CLOSE.protocolError], { reason: 'message_before_welcome' });
    },
  },
  {
    id: 'O-3.unknown',
    title: 'a message of an unknown type before hello: close 4400',
    async check(test) {
      const link = await test.dial();
      link.say({ type: 'conformanceProbe' });
      await link.closes([CLOSE.protocolError]);
    },
  },
  {
    id: 'O-3.frames',
    title: 'a binary message before hello: close 4400 frames_before_welcome',
    async check(test) {
      const link = await test.dial();
      link.wire.send(frameMessage([]));
      await link.closes([CLOSE.protocolError], { reason: 'frames_before_welcome' });
    },
  },
  {
    id: 'O-3.too-large',
    title: 'a message over the limit before hello: close 4413',
    async check(test) {
      const link = await test.dial();
      link.say({ ...link.hello, padding: 'x'.repeat(LIMITS.maxJsonBytes) });
      await link.closes([CLOSE.tooLarge]);
    },
  },
  {
    id: 'O-7',
    title: 'a second hello: close 4400 hello_repeated',
    async check(test) {
      const { link } = await test.open();
      link.say(link.hello);
      await link.closes([CLOSE.protocolError], { reason: 'hello_repeated' });
    },
  },
  {
    id: 'J-9',
    title: 'a hello of another version: close 4426 unsupported_version',
    async check(test) {
      const link = await test.dial();
      link.say({ ...link.hello, version: 2 });
      await link.closes([CLOSE.unsupportedVersion], { reason: 'unsupported_version' });
    },
  },
  {
    id: 'J-9.else',
    title: 'a hello of another version and of members unknown here: close 4426',
    async check(test) {
      const link = await test.dial();
      link.say({ type: 'hello', version: 7, session: { of: 'another world' } });
      await link.closes([CLOSE.unsupportedVersion], { reason: 'unsupported_version' });
    },
  },
  {
    id: 'M-1.call',
    title: "a hello for another call than the token's: close 4401 wrong_call",
    async check(test) {
      const link = await test.dial();
      link.say({ ...link.hello, callId: 'c_somebody-else' });
      await link.closes([CLOSE.unauthorized], { reason: 'wrong_call' });
    },
  },
  {
    id: 'M-1.epoch',
    title: "a hello for another epoch than the token's: close 4401 wrong_epoch",
    async check(test) {
      const link = await test.dial();
      link.say({ ...link.hello, epoch: link.hello.epoch + 1 });
      await link.closes([CLOSE.unauthorized], { reason: 'wrong_epoch' });
    },
  },
  invalidHello('J-7.missing', 'a hello without a member it must have', { mediaId: undefined }),
  invalidHello('J-7.null', 'null for an optional member', { virtualTime: null }),
  invalidHello('J-7.boolean', 'a string where a boolean must be', { virtualTime: 'true' }),
  invalidHello('J-7.id-space', 'an id with a space', { mediaId: 'two words' }),
  invalidHello('J-7.id-unicode', 'an id beyond ASCII', { mediaId: 'm_ä' }),
  invalidHello('J-7.id-empty', 'an empty id', { mediaId: '' }),
  invalidHello('J-7.id-long', 'an id of 129 characters', { mediaId: 'm'.repeat(129) }),
  invalidHello('J-7.fraction', 'a fraction where an integer must be', { replayWindowMs: 0.5 }),
  invalidHello('J-7.negative', 'a negative u32', { replayWindowMs: -1 }),
  invalidHello('J-7.u32', 'a u32 of 2^32', { replayWindowMs: 4_294_967_296 }),
  invalidHello('T-5.number', 'ticks as a JSON number', { clockNowTicks: 638_000_000 }),
  invalidHello('T-5.zero', 'ticks with a leading zero', { clockNowTicks: '0638' }),
  invalidHello('T-5.sign', 'ticks with a sign', { mediaEpochTicks: '-1' }),
  invalidHello('T-5.exponent', 'ticks with an exponent', { clockNowTicks: '6e17' }),
  invalidHello('T-5.u64', 'ticks of 2^64', { clockNowTicks: '18446744073709551616' }),
  {
    id: 'J-7.edges',
    title: 'the least and the greatest values of members are taken',
    async check(test) {
      await test.ownCall();
      const link = await test.dial();
      await link.opens({
        mediaId: `~${'!'.repeat(127)}`,
        mediaEpochTicks: '0',
        clockNowTicks: '18446744073709551615',
        replayWindowMs: 4_294_967_295,
        virtualTime: false,
      });
    },
  },
  {
    id: 'J-2.hello',
    title: 'unknown members of hello are ignored',
    async check(test) {
      const link = await test.dial();
      await link.opens({ conformanceProbe: { deeply: ['nested', null, 1e300] } });
    },
  },
  {
    id: 'W-2.absent',
    title: 'a welcome has no send when hello has none',
    async check(test) {
      const { welcome } = await test.open();
      require(welcome.send === undefined, 'no send', welcome.send);
    },
  },
  {
    id: 'W-2.known',
    title: 'a hello with send is taken, and a welcome has send true or none',
    async check(test) {
      const link = await test.dial();
      const { send } = await link.opens({ send: SEND });
      require(send === undefined || send === true, 'send true or none', send);
    },
  },
  {
    id: 'W-2.speaks',
    title: "a worker that says send true knows the way back's messages, another one does not",
    async check(test) {
      const link = await test.dial();
      const { send } = await link.opens({ send: SEND });
      link.say({ type: 'sendProgress', streams: [] });
      await link.settle();
      const isUnknown = link.messages.some(
        (message) => message.type === 'unsupported' && message.what === 'sendProgress',
      );
      if (send === true) require(!isUnknown, 'sendProgress to be known', 'unsupported');
      else require(isUnknown, 'unsupported sendProgress', 'nothing');
    },
  },
  {
    id: 'W-3',
    title: 'a host without send gets no message of the way back and nothing binary',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1);
      link.sendFrames(silentFrames(1, 0, 5));
      await link.take(() => false, test.quietMs);
      const isBinary = link.wire.seen.some(({ kind }) => kind === 'binary');
      require(!isBinary, 'text only', 'a binary message');
      const wrong = link.messages.find(({ type }) => WAY_BACK.has(type));
      require(wrong === undefined, 'nothing of the way back', wrong?.type);
    },
  },
];

function invalidHello(id: string, what: string, changes: object): WorkerRule {
  return {
    id,
    title: `${what}: close 4400 invalid_message`,
    async check(test) {
      const link = await test.dial();
      link.say({ ...link.hello, ...changes });
      await link.closes([CLOSE.protocolError], { reason: 'invalid_message' });
    },
  };
}
