import { CLOSE, LIMITS } from '@earshot/bridge-protocol';
import { require } from '../outcome.js';
import type { WorkerLink } from './worker-link.js';
import type { WorkerRule } from './worker-test.js';

const CLOSED_BY_SOCKET_LAYER = { tooLarge: 1009, notUtf8: 1007 } as const;

/** JSON messages, well-formed and not. */
export const CONTROL_RULES: readonly WorkerRule[] = [
  {
    id: 'J-3',
    title: 'a message of an unknown type is ignored: the link goes on',
    async check(test) {
      const { link } = await test.open();
      link.say({ type: 'conformanceProbe', streamId: 0 });
      await link.settle();
    },
  },
  unsupported('J-4', 'an unknown type is answered by unsupported', 'conformanceProbe'),
  unsupported('J-4.long', 'of a long type the first 64 characters are told', 'p'.repeat(100)),
  unsupported('J-13', 'a type of the other direction is an unknown type', 'progress'),
  unsupported('J-4.proto', 'a type that is a name of every object is unknown', 'constructor'),
  {
    id: 'J-2.nested',
    title: 'unknown members of any message are ignored',
    async check(test) {
      const { link } = await test.open();
      link.say({ ...streamOpen(1), conformanceProbe: [{ type: 'bye' }] });
      link.say({ type: 'dominantSpeaker', sourceId: '901', captureTicks: '1', volume: 11 });
      link.say({ type: 'streamClose', streamId: 1, nextSequence: 0, conformanceProbe: null });
      await link.settle();
    },
  },
  {
    id: 'J-7.accepted',
    title: 'every message a host may send is taken',
    async check(test) {
      const { link } = await test.open();
      link.say({ ...streamOpen(65_535), kind: 'mixed', sourceId: undefined });
      link.say({ ...streamOpen(1), codec: 'pcm16' });
      link.say({ type: 'tone', tone: 'tone5', sourceId: '901', captureTicks: '1' });
      link.say({ type: 'tone', tone: 'pound', captureTicks: '1' });
      link.say({ type: 'dominantSpeaker', sourceId: null, captureTicks: '1' });
      const discarded = { type: 'discarded', streamId: 1, firstSequence: 0, frames: 3 };
      link.say({ ...discarded, reason: 'overflow' });
      link.say({ type: 'streamClose', streamId: 1, nextSequence: 3 });
      link.say({ type: 'streamClose', streamId: 65_535, nextSequence: 0 });
      await link.settle();
    },
  },
  notJson('J-6.text', 'a text that is no JSON', '{"type":"ping","id":1'),
  notJson('J-6.empty', 'an empty text', ''),
  notJson('J-6.array', 'a JSON array', '[{"type":"ping","id":1,"clockNowTicks":"1"}]'),
  notJson('J-6.null', 'JSON null', 'null'),
  invalid('J-7.type-missing', 'no type', { id: 1, clockNowTicks: '1' }),
  invalid('J-7.type-number', 'a type that is no string', { type: 7 }),
  invalid('J-7.stream-zero', 'streamId 0', { ...streamOpen(0) }),
  invalid('J-7.stream-high', 'streamId 65 536', { ...streamOpen(65_536) }),
  invalid('J-7.stream-text', 'a streamId that is a string', { ...streamOpen(1), streamId: '1' }),
  invalid('J-7.kind', 'an unknown kind', { ...streamOpen(1), kind: 'stereo' }),
  invalid('J-7.codec', 'an unknown codec', { ...streamOpen(1), codec: 'mp3' }),
  invalid('J-7.rate', 'sampleRateHz 44 100', { ...streamOpen(1), sampleRateHz: 44_100 }),
  invalid('J-7.source-null', 'sourceId null in streamOpen', { ...streamOpen(1), sourceId: null }),
  invalid('J-7.sequence', 'firstSequence 2^32', { ...streamOpen(1), firstSequence: 2 ** 32 }),
  invalid('J-7.word', 'a word of 65 characters', {
    type: 'tone',
    tone: 't'.repeat(65),
    captureTicks: '1',
  }),
  invalid('J-7.bye', 'a bye of an unknown reason', { type: 'bye', reason: 'bored' }),
  invalid('J-7.ping', 'a ping without its ticks', { type: 'ping', id: 1 }),
  invalid('M-8', 'pcm16 at another rate than 16 000 Hz', {
    ...streamOpen(1),
    codec: 'pcm16',
    sampleRateHz: 48_000,
  }),
  {
    id: 'J-8.exact',
    title: 'a control message of exactly 65 536 bytes is taken',
    async check(test) {
      const { link } = await test.open();
      link.wire.send(padded(LIMITS.maxJsonBytes, 'x'));
      await link.settle();
    },
  },
  {
    id: 'J-8.over',
    title: 'a control message of 65 537 bytes: close 4413 too_large',
    async check(test) {
      const { link } = await test.open();
      link.wire.send(padded(LIMITS.maxJsonBytes + 1, 'x'));
      await link.closes([CLOSE.tooLarge], { reason: 'too_large' });
    },
  },
  {
    id: 'J-8.bytes',
    title: 'bytes are counted, not characters: close 4413 too_large',
    async check(test) {
      const { link } = await test.open();
      link.wire.send(padded(LIMITS.maxJsonBytes + 2, 'ä'));
      await link.closes([CLOSE.tooLarge], { reason: 'too_large' });
    },
  },
  {
    id: 'J-8.far',
    title: 'a control message of 1 MiB: close 4413 or 1009',
    async check(test) {
      const { link } = await test.open();
      link.wire.send(padded(1_048_576, 'x'));
      await link.closes([CLOSE.tooLarge, CLOSED_BY_SOCKET_LAYER.tooLarge]);
    },
  },
  {
    id: 'J-11',
    title: 'a text that is not UTF-8: close 1007',
    async check(test) {
      const { link } = await test.open();
      link.wire.sendAsText(Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d));
      await link.closes([CLOSED_BY_SOCKET_LAYER.notUtf8]);
    },
  },
  {
    id: 'U-11',
    title: 'a message of 64 fragments is taken',
    async check(test) {
      const { link } = await test.open();
      const text = JSON.stringify({ type: 'conformanceProbe', padding: 'x'.repeat(64) });
      link.wire.sendParts(inParts(text, 64));
      await requireUnsupported(link, 'conformanceProbe');
    },
  },
  {
    id: 'M-5',
    title: 'streamOpen of an open stream: close 4400 stream_already_open',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1);
      link.openStream(1);
      await link.closes([CLOSE.protocolError], { reason: 'stream_already_open' });
    },
  },
  {
    id: 'M-6',
    title: 'streamClose of a stream that is not open: close 4400 stream_not_open',
    async check(test) {
      const { link } = await test.open();
      link.closeStream(7, 0);
      await link.closes([CLOSE.protocolError], { reason: 'stream_not_open' });
    },
  },
  {
    id: 'M-7',
    title: 'a 65th stream: close 4400 too_many_streams',
    limitMs: 20_000,
    async check(test) {
      const { link } = await test.open(await test.ownCall());
      openMany(link, LIMITS.maxStreams + 1);
      await link.closes([CLOSE.protocolError], { reason: 'too_many_streams' });
    },
  },
  {
    id: 'M-7.most',
    title: '64 streams may be open at once',
    limitMs: 20_000,
    async check(test) {
      const { link } = await test.open(await test.ownCall());
      openMany(link, LIMITS.maxStreams);
      await link.settle();
    },
  },
  {
    id: 'M-7.room',
    title: 'a stream that was closed makes room for another',
    limitMs: 20_000,
    async check(test) {
      const { link } = await test.open(await test.ownCall());
      openMany(link, LIMITS.maxStreams);
      await link.settle();
      link.closeStream(1, 0);
      link.openStream(LIMITS.maxStreams + 1);
      await link.settle();
    },
  },
  {
    id: 'X-2',
    title: 'the reason of a close is snake_case, at most 123 bytes',
    async check(test) {
      const { link } = await test.open();
      link.say({ type: 'bye', reason: 'bored' });
      const { reason } = await link.closes(ANY_CLOSE);
      require(/^[a-z0-9_]{0,123}$/.test(reason), 'a reason in snake_case', reason);
    },
  },
  {
    id: 'X-5',
    title: "one host's mistake ends its link and no other",
    async check(test) {
      const { link: good } = await test.open();
      const { link: bad } = await test.open(await test.anotherCall());
      bad.wire.send('nonsense');
      await bad.closes(ANY_CLOSE);
      await good.settle();
    },
  },
];

/** Codes that a side may close with, for rules about something else. */
const ANY_CLOSE: readonly number[] = [1000, 1002, 1007, 1008, ...Object.values(CLOSE)];

function streamOpen(streamId: number): {
  readonly type: 'streamOpen';
  readonly [member: string]: unknown;
} {
  return {
    type: 'streamOpen',
    streamId,
    kind: 'unmixed',
    sourceId: '901',
    codec: 'opus',
    sampleRateHz: 16_000,
    firstSequence: 0,
  };
}

function openMany(link: WorkerLink, count: number): void {
  for (let streamId = 1; streamId <= count; streamId += 1) link.openStream(streamId);
}

function unsupported(id: string, title: string, type: string): WorkerRule {
  return {
    id,
    title,
    async check(test) {
      const { link } = await test.open();
      link.say({ type });
      await requireUnsupported(link, type.slice(0, 64));
    },
  };
}

async function requireUnsupported(link: WorkerLink, what: string): Promise<void> {
  const answer = await link.take((message) => message.type === 'unsupported');
  link.requireOpen();
  const told = answer?.type === 'unsupported' ? answer.what : 'nothing';
  require(told === what, `unsupported ${what}`, told);
}

function notJson(id: string, what: string, text: string): WorkerRule {
  return {
    id,
    title: `${what}: close 4400 invalid_json`,
    async check(test) {
      const { link } = await test.open();
      link.wire.send(text);
      await link.closes([CLOSE.protocolError], { reason: 'invalid_json' });
    },
  };
}

function invalid(id: string, what: string, message: object): WorkerRule {
  return {
    id,
    title: `${what}: close 4400 invalid_message`,
    async check(test) {
      const { link } = await test.open();
      link.wire.send(JSON.stringify(message));
      await link.closes([CLOSE.protocolError], { reason: 'invalid_message' });
    },
  };
}

/** A ping of exactly so many bytes, filled up with one character. */
function padded(bytes: number, character: string): string {
  const start = '{"type":"ping","id":77,"clockNowTicks":"1","padding":"';
  const end = '"}';
  const room = bytes - start.length - end.length;
  return start + character.repeat(room / Buffer.byteLength(character)) + end;
}

function inParts(text: string, count: number): string[] {
  const size = Math.floor(text.length / count);
  return Array.from({ length: count }, (_, n) =>
    text.slice(n * size, n === count - 1 ? undefined : (n + 1) * size),
  );
}
