import { CLOSE, LIMITS } from '@earshot/bridge-protocol';
import { frameMessage, OPUS_SILENCE, PCM_SILENCE } from '../frame-bytes.js';
import { NotApplicable, require } from '../outcome.js';
import type { HostRule } from './host-test.js';
import { SendStream, sendLink } from './send-stream.js';

const SOME = 25;
/** 500 by the rule, and the way there and back on a busy machine. */
const PROGRESS_MS = 1000;
const SEND = { kind: 2 } as const;

/** The way back: opening of streams, frames and credit. */
export const SEND_RULES: readonly HostRule[] = [
  {
    id: 'W-1',
    title: 'a host that can send into the meeting says so in every hello, alike',
    limitMs: 40_000,
    async check(test) {
      const { attachment, peer, offer } = await sendLink(test);
      await peer.wire.break();
      const again = await test.opened(attachment, 1, test.redialMs);
      const { send } = await again.hello();
      require(JSON.stringify(send) === JSON.stringify(offer), JSON.stringify(offer), send);
    },
  },
  {
    id: 'W-6',
    title: `sendOpen is answered by sendOpened within ${LIMITS.sendOpenTimeoutMs} ms`,
    async check(test) {
      const link = await sendLink(test);
      const stream = new SendStream(test, link);
      stream.open();
      const isAbout1 = (message: { readonly type: string }): boolean =>
        message.type === 'sendOpened' || message.type === 'sendClosed';
      const item = await link.peer.heard.find(
        (one) => one.kind === 'message' && isAbout1(one.message),
        LIMITS.sendOpenTimeoutMs,
      );
      const opened = item?.kind === 'message' ? item.message : undefined;
      require(opened?.type === 'sendOpened', 'sendOpened', opened ?? 'nothing');
      const { nextSequence, creditFrames } = opened;
      require(nextSequence === 0, 'nextSequence 0', nextSequence);
      const { bufferFrames } = link.offer;
      const isCredit = creditFrames > 0 && creditFrames <= bufferFrames;
      require(isCredit, `creditFrames from 1 to ${bufferFrames}`, creditFrames);
    },
  },
  {
    id: 'W-7',
    title: 'sendOpen of a streamId that is open: close 4400 stream_already_open',
    async check(test) {
      const link = await sendLink(test);
      await SendStream.opened(test, link);
      new SendStream(test, link).open();
      const { replyMs: withinMs } = test;
      await link.peer.closes([CLOSE.protocolError], { reason: 'stream_already_open', withinMs });
    },
  },
  {
    id: 'W-8',
    title: 'a stream more than maxStreams is refused: sendClosed too_many_streams',
    async check(test) {
      const link = await sendLink(test);
      const { maxStreams } = link.offer;
      for (let streamId = 1; streamId <= maxStreams; streamId += 1) {
        await SendStream.opened(test, link, { streamId });
      }
      const more = new SendStream(test, link, { streamId: maxStreams + 1 });
      more.open();
      const { reason } = (await more.tells('sendClosed')).message;
      require(reason === 'too_many_streams', 'too_many_streams', reason);
    },
  },
  {
    id: 'W-8.codec',
    title: 'a codec that the host does not offer is refused: sendClosed unsupported_codec',
    async check(test) {
      const link = await sendLink(test);
      const codec = (['opus', 'pcm16'] as const).find((one) => !link.offer.codecs.includes(one));
      if (codec === undefined) throw new NotApplicable('the host plays every codec');
      const stream = new SendStream(test, link, { codec });
      stream.open();
      const { reason } = (await stream.tells('sendClosed')).message;
      require(reason === 'unsupported_codec', 'unsupported_codec', reason);
    },
  },
  refused('W-9.truncated', 'a message of 3 bytes', CLOSE.protocolError, 'truncated', () =>
    Uint8Array.of(1, 2, 0),
  ),
  refused('W-9.version', 'version 2', CLOSE.unsupportedVersion, 'unsupported_version', () =>
    frameMessage([], { ...SEND, version: 2 }),
  ),
  refused('W-9.kind', 'kind 1', CLOSE.protocolError, 'unsupported_kind', () => frameMessage([])),
  refused('W-9.length', 'PCM16 of 639 bytes', CLOSE.protocolError, 'invalid_payload_length', () =>
    frameMessage([{ streamId: 1, codec: 2, sequence: 0, payload: PCM_SILENCE.subarray(1) }], SEND),
  ),
  refused(
    'W-9.trailing',
    'a byte after the last frame',
    CLOSE.protocolError,
    'trailing_bytes',
    () => Uint8Array.of(...frameMessage([], SEND), 0),
  ),
  refused('W-9.too-large', 'a message of 65 537 bytes', CLOSE.tooLarge, 'too_large', () =>
    new Uint8Array(LIMITS.maxMessageBytes + 1).fill(1),
  ),
  {
    id: 'W-9.empty',
    title: 'a message of 0 frames means nothing',
    async check(test) {
      const link = await sendLink(test);
      link.peer.wire.send(frameMessage([], SEND));
      await SendStream.opened(test, link);
    },
  },
  {
    id: 'W-9.codec',
    title: "a frame of another codec than its stream's costs that frame only",
    async check(test) {
      const link = await sendLink(test);
      const stream = await SendStream.opened(test, link);
      const other =
        stream.codec === 'opus'
          ? { codec: 2, payload: PCM_SILENCE }
          : { codec: 1, payload: OPUS_SILENCE };
      stream.sendFrames([{ ...stream.frame(0), ...other }]);
      stream.next = 1;
      stream.send(SOME);
      stream.close();
      const { reason, played } = (await stream.tells('sendClosed')).message;
      require(reason === 'played' && played === stream.next, `played ${stream.next}`, played);
    },
  },
  {
    id: 'W-9.ticks',
    title: 'captureTicks of frames to be sent are ignored',
    async check(test) {
      const link = await sendLink(test);
      const stream = await SendStream.opened(test, link);
      const late = Array.from({ length: SOME }, (_, n) => ({
        ...stream.frame(n),
        captureTicks: 0xffff_ffff_ffff_0000n - BigInt(n),
      }));
      stream.sendFrames(late);
      stream.close(SOME);
      const { reason, played } = (await stream.tells('sendClosed')).message;
      require(reason === 'played' && played === SOME, `played ${SOME}`, played);
    },
  },
  {
    id: 'W-10.jump',
    title: 'after a jump in sequence the next frame is played at once',
    async check(test) {
      const link = await sendLink(test);
      const stream = await SendStream.opened(test, link);
      if (stream.credit < 30) throw new NotApplicable('the host grants too little credit');
      stream.send(5);
      stream.next = 20;
      stream.send(5);
      await stream.received(25);
      stream.close();
      const { reason, played } = (await stream.tells('sendClosed')).message;
      require(reason === 'played', 'sendClosed played', reason);
      require(played === 25, 'played 25', played);
    },
  },
  {
    id: 'W-10.late',
    title: 'a frame whose sequence was passed is dropped',
    async check(test) {
      const link = await sendLink(test);
      const stream = await SendStream.opened(test, link);
      stream.send(5);
      stream.next = 0;
      stream.send(8);
      await stream.received(8);
      stream.clear();
      const { firstSequence, frames } = (await stream.tells('cleared')).message;
      const most = 8 - firstSequence;
      require(frames <= most, `${most} frames cleared at most`, frames);
      stream.close();
      await stream.tells('sendClosed');
    },
  },
  {
    id: 'W-10.wrap',
    title: 'sequence goes from 2^32 - 1 to 0',
    async check(test) {
      const link = await sendLink(test);
      const firstSequence = 0xffff_fff6;
      const stream = await SendStream.opened(test, link, { firstSequence });
      require(stream.next === firstSequence, `nextSequence ${firstSequence}`, stream.next);
      stream.send(SOME);
      await stream.received(15);
      stream.close();
      const { reason, played } = (await stream.tells('sendClosed')).message;
      require(reason === 'played' && played === 15, 'played 15', played);
    },
  },
  {
    id: 'W-14',
    title: 'frames of a send stream that is not open are dropped: the link goes on',
    async check(test) {
      const link = await sendLink(test);
      const stray = new SendStream(test, link, { streamId: 9 });
      stray.send(SOME);
      const stream = await SendStream.opened(test, link);
      stream.send(5);
      await stream.received();
    },
  },
  {
    id: 'W-16',
    title: 'a frame beyond the credit: close 4400 credit_exceeded',
    async check(test) {
      const link = await sendLink(test);
      const stream = await SendStream.opened(test, link);
      stream.sendFrames([stream.frame(stream.credit)]);
      const { replyMs: withinMs } = test;
      await link.peer.closes([CLOSE.protocolError], { reason: 'credit_exceeded', withinMs });
    },
  },
  {
    id: 'W-16.edge',
    title: 'the last frame within the credit is taken',
    async check(test) {
      const link = await sendLink(test);
      const stream = await SendStream.opened(test, link);
      stream.sendFrames([stream.frame(stream.credit - 1)]);
      await stream.received(stream.credit);
    },
  },
  {
    id: 'W-17',
    title: 'credit and frames buffered are never more than bufferFrames, and credit is kept',
    async check(test) {
      const link = await sendLink(test);
      const stream = await SendStream.opened(test, link);
      const { bufferFrames } = link.offer;
      const count = Math.min(stream.credit, 1500);
      stream.send(count);
      await stream.received(count);
      await link.peer.heard.find(() => false, 2 * test.quietMs);
      let granted = stream.credit;
      for (const { received, played, creditFrames } of stream.positions) {
        const sum = creditFrames + received - played;
        require(sum <= bufferFrames, `${bufferFrames} frames at most`, sum);
        const end = received + creditFrames;
        require(end >= granted, `credit to ${granted} or further`, end);
        granted = end;
      }
    },
  },
  {
    id: 'W-17.kept',
    title: 'every frame that came within credit is played or cleared',
    async check(test) {
      const link = await sendLink(test);
      const stream = await SendStream.opened(test, link);
      const count = Math.min(stream.credit, 1500);
      stream.send(count);
      await stream.received(count);
      stream.clear();
      const { firstSequence, frames } = (await stream.tells('cleared')).message;
      require(firstSequence + frames === count, `cleared to ${count}`, firstSequence + frames);
    },
  },
  {
    id: 'W-18',
    title: 'sendProgress comes within 500 ms of a change of received, and of played',
    async check(test) {
      const { clock } = test;
      const link = await sendLink(test);
      const stream = await SendStream.opened(test, link);
      const startMs = clock.nowMs();
      stream.send(SOME);
      await stream.received();
      const receivedMs = Math.round(clock.nowMs() - startMs);
      require(receivedMs <= PROGRESS_MS, `received in ${PROGRESS_MS} ms`, `${receivedMs} ms`);
      stream.mark('end', stream.next);
      const { index } = await stream.marked('end');
      const markedMs = clock.nowMs();
      await stream.reaches('played all', ({ played }) => played === stream.next);
      const tookMs = Math.round(clock.nowMs() - markedMs);
      require(tookMs <= PROGRESS_MS, `played in ${PROGRESS_MS} ms of ${index}`, `${tookMs} ms`);
    },
  },
  {
    id: 'W-18.all',
    title: 'sendProgress tells of every open send stream',
    async check(test) {
      const link = await sendLink(test);
      if (link.offer.maxStreams < 2) throw new NotApplicable('the host plays one stream at a time');
      const one = await SendStream.opened(test, link);
      const two = await SendStream.opened(test, link, { streamId: 2 });
      const from = link.peer.heard.items.length;
      one.send(SOME);
      await one.received();
      const isListed = (await two.reaches('sendProgress of stream 2', () => true, from)).message;
      require(isListed.received === 0, 'received 0 of stream 2', isListed.received);
    },
  },
];

function refused(
  id: string,
  what: string,
  code: number,
  reason: string,
  bytesOf: () => Uint8Array,
): HostRule {
  return {
    id,
    title: `${what} where the way back was agreed: close ${code} ${reason}`,
    async check(test) {
      const link = await sendLink(test);
      await SendStream.opened(test, link);
      link.peer.wire.send(bytesOf());
      await link.peer.closes([code], { reason, withinMs: test.replyMs });
    },
  };
}
