import { CLOSE, LIMITS } from '@earshot/bridge-protocol';
import { NotApplicable, require } from '../outcome.js';
import type { HostRule } from './host-test.js';
import type { SendLink } from './send-stream.js';
import { SendStream, sendLink } from './send-stream.js';

const SOME = 25;
const TICKS_PER_FRAME = 200_000;
/** Of the host's clock when a mark comes true: it plays some frames at once, perhaps. */
const PACE_FRAMES = 5;
/** Far beyond what is sent. */
const NEVER = 60_000;

/** The way back: playing, marks, clear and close. */
export const SEND_PLAY_RULES: readonly HostRule[] = [
  {
    id: 'W-11',
    title: 'frames are played in order, 20 ms each by the host\u2019s media clock',
    async check(test) {
      const link = await sendLink(test);
      const stream = await SendStream.opened(test, link);
      stream.mark('early', 5);
      stream.mark('late', SOME);
      stream.send(SOME);
      const early = BigInt((await stream.marked('early')).message.clockTicks);
      const late = BigInt((await stream.marked('late')).message.clockTicks);
      const frames = Number(late - early) / TICKS_PER_FRAME;
      const isPace = Math.abs(frames - (SOME - 5)) <= PACE_FRAMES;
      require(isPace, `${SOME - 5} frames of 20 ms between`, frames);
    },
  },
  {
    id: 'W-11.start',
    title: 'playing begins with 200 ms of audio, or with a mark, or with sendClose',
    async check(test) {
      const link = await sendLink(test);
      const many = await SendStream.opened(test, link);
      many.send(10);
      await many.played();
      many.close();
      await many.tells('sendClosed');
      const marked = await SendStream.opened(test, link, { streamId: 2 });
      marked.send(1);
      marked.mark('m', 1);
      await marked.marked('m');
      marked.close();
      await marked.tells('sendClosed');
      const closed = await SendStream.opened(test, link, { streamId: 3 });
      closed.send(1);
      closed.close();
      await closed.tells('sendClosed');
    },
  },
  {
    id: 'W-12',
    title: 'a stream that has nothing to play goes on with the next frame that comes',
    async check(test) {
      const { stream } = await starved(test);
      stream.close();
      const { reason, played } = (await stream.tells('sendClosed')).message;
      require(reason === 'played' && played === stream.next, `played ${stream.next}`, played);
    },
  },
  {
    id: 'W-12.underrun',
    title: 'silence between its first frame and sendClose is counted in underrunFrames',
    async check(test) {
      const { stream } = await starved(test);
      const counts = stream.positions.flatMap(({ underrunFrames }) => underrunFrames ?? []);
      if (counts.length === 0) throw new NotApplicable('the host does not count underruns');
      require((counts.at(-1) ?? 0) > 0, 'underrunFrames above 0', counts.at(-1));
    },
  },
  {
    id: 'W-13',
    title: 'send streams that are open at once are played at once',
    async check(test) {
      const link = await sendLink(test);
      if (link.offer.maxStreams < 2) throw new NotApplicable('the host plays one stream at a time');
      const one = await SendStream.opened(test, link);
      const two = await SendStream.opened(test, link, { streamId: 2 });
      for (const stream of [one, two]) {
        stream.send(2 * SOME);
        stream.mark('end', 2 * SOME);
      }
      const ends = await Promise.all([one, two].map((stream) => stream.marked('end')));
      const [first = 0n, second = 0n] = ends.map(({ message }) => BigInt(message.clockTicks));
      const frames = Math.abs(Number(first - second)) / TICKS_PER_FRAME;
      require(frames < SOME, `ends within ${SOME} frames`, frames);
    },
  },
  {
    id: 'W-19',
    title: 'marks are answered once each, played, in order of their sequences',
    async check(test) {
      const link = await sendLink(test);
      const stream = await SendStream.opened(test, link);
      stream.mark('third', 20);
      stream.mark('first', 5);
      stream.mark('second', 10);
      stream.send(SOME);
      await stream.marked('third');
      const marked = marksOf(link);
      const names = marked.map(({ name }) => name).join();
      require(names === 'first,second,third', 'first,second,third', names);
      const odd = marked.find(({ outcome }) => outcome !== 'played');
      require(odd === undefined, 'outcome played', odd?.outcome);
    },
  },
  {
    id: 'W-19.early',
    title: 'a mark of a sequence that is over already is answered at once',
    async check(test) {
      const link = await sendLink(test);
      const stream = await SendStream.opened(test, link);
      stream.send(10);
      await stream.played();
      stream.mark('past', 3);
      const { outcome } = (await stream.marked('past')).message;
      require(outcome === 'played', 'outcome played', outcome);
    },
  },
  {
    id: 'W-19.beyond',
    title: 'a mark beyond what was sent waits until it is played',
    async check(test) {
      const link = await sendLink(test);
      const stream = await SendStream.opened(test, link);
      stream.mark('later', 15);
      stream.send(10);
      await stream.played();
      const early = await stream.find('marked', { withinMs: test.quietMs });
      require(early === undefined, 'no marked yet', early?.message);
      stream.send(10);
      const { outcome } = (await stream.marked('later')).message;
      require(outcome === 'played', 'outcome played', outcome);
    },
  },
  {
    id: 'W-20',
    title: `a mark more than ${LIMITS.maxMarks} that wait: close 4400 too_many_marks`,
    async check(test) {
      const link = await sendLink(test);
      const stream = await SendStream.opened(test, link);
      for (let n = 0; n <= LIMITS.maxMarks; n += 1) stream.mark(`m${n}`, NEVER);
      const { replyMs: withinMs } = test;
      await link.peer.closes([CLOSE.protocolError], { reason: 'too_many_marks', withinMs });
    },
  },
  {
    id: 'W-20.most',
    title: `${LIMITS.maxMarks} marks may wait, and each that was answered makes room`,
    async check(test) {
      const link = await sendLink(test);
      const stream = await SendStream.opened(test, link);
      for (let n = 1; n < LIMITS.maxMarks; n += 1) stream.mark(`m${n}`, NEVER);
      stream.mark('soon', 5);
      stream.send(SOME);
      await stream.marked('soon');
      stream.mark('more', 10);
      await stream.marked('more');
    },
  },
  {
    id: 'W-21',
    title: 'clear: marks that wait are answered cleared, then cleared, then played is received',
    async check(test) {
      const { link, stream, count } = await buffered(test);
      stream.mark('end', count);
      stream.mark('beyond', NEVER);
      stream.clear();
      const { message: cleared, index: at } = await stream.tells('cleared');
      const { firstSequence, frames } = cleared;
      require(frames > 0, 'frames that were cleared', frames);
      require(firstSequence + frames === count, `cleared to ${count}`, firstSequence + frames);
      for (const name of ['end', 'beyond']) {
        const { message, index } = await stream.marked(name);
        require(message.outcome === 'cleared', `${name} cleared`, message.outcome);
        require(index < at, `marked ${name} before cleared`, 'after it');
      }
      const isOver = ({ played }: { readonly played: number }): boolean => played === count;
      await stream.reaches(`played ${count} after cleared`, isOver, at);
      const wrong = link.peer.texts.filter(({ type }) => type === 'cleared').length;
      require(wrong === 1, 'one cleared', wrong);
    },
  },
  {
    id: 'W-21.after',
    title: 'frames that come after clear are new, and their sequence goes on',
    async check(test) {
      const { stream } = await buffered(test);
      stream.clear();
      const { index } = await stream.tells('cleared');
      const isFree = ({ received, played }: { received: number; played: number }): boolean =>
        played === received;
      await stream.reaches('played as far as received', isFree, index);
      stream.send(10);
      stream.mark('new', stream.next);
      const { outcome } = (await stream.marked('new')).message;
      require(outcome === 'played', 'outcome played', outcome);
    },
  },
  {
    id: 'W-21.empty',
    title: 'clear of a stream that has played everything: cleared of 0 frames',
    async check(test) {
      const link = await sendLink(test);
      const stream = await SendStream.opened(test, link);
      stream.send(10);
      await stream.played();
      stream.clear();
      const { frames } = (await stream.tells('cleared')).message;
      require(frames === 0, '0 frames', frames);
    },
  },
  {
    id: 'W-22',
    title: 'after sendClose and all that was played: sendClosed played, once',
    async check(test) {
      const link = await sendLink(test);
      const stream = await SendStream.opened(test, link);
      stream.send(SOME);
      stream.mark('end', SOME);
      stream.close();
      const { message, index } = await stream.tells('sendClosed');
      require(message.reason === 'played', 'played', message.reason);
      require(message.played === SOME, `played ${SOME}`, message.played);
      const marked = await stream.marked('end');
      require(marked.index < index, 'marked before sendClosed', 'after it');
      await link.peer.heard.find(() => false, test.quietMs);
      const count = link.peer.texts.filter(({ type }) => type === 'sendClosed').length;
      require(count === 1, 'one sendClosed', count);
    },
  },
  {
    id: 'W-22.cleared',
    title: 'after sendClose and clear: sendClosed cleared',
    async check(test) {
      const { stream } = await buffered(test);
      stream.close();
      stream.clear();
      const { reason } = (await stream.tells('sendClosed')).message;
      require(reason === 'cleared', 'cleared', reason);
    },
  },
  {
    id: 'W-23',
    title: 'a mark after sendClose is answered',
    async check(test) {
      const link = await sendLink(test);
      const stream = await SendStream.opened(test, link);
      stream.send(SOME);
      stream.close();
      stream.mark('end', SOME);
      const { outcome } = (await stream.marked('end')).message;
      require(outcome === 'played', 'outcome played', outcome);
    },
  },
  {
    id: 'W-24',
    title: 'sendClose, mark and clear of a stream that is not open are ignored',
    async check(test) {
      const link = await sendLink(test);
      const nobody = new SendStream(test, link, { streamId: 9 });
      nobody.mark('m', 0);
      nobody.clear();
      nobody.close(0);
      await SendStream.opened(test, link);
      const told = link.peer.texts.find(
        (message) => 'streamId' in message && message.streamId === 9,
      );
      require(told === undefined, 'nothing of stream 9', told);
    },
  },
  {
    id: 'W-25',
    title: 'after sendClosed its streamId is free for another stream',
    async check(test) {
      const link = await sendLink(test);
      const first = await SendStream.opened(test, link);
      first.send(5);
      first.close();
      const { index } = await first.tells('sendClosed');
      const second = new SendStream(test, link, { firstSequence: 700 });
      second.open();
      const { nextSequence } = (await second.tells('sendOpened', { from: index })).message;
      require(nextSequence === 700, 'nextSequence 700', nextSequence);
    },
  },
];

function marksOf({ peer }: SendLink): { readonly name: string; readonly outcome: string }[] {
  return peer.texts.flatMap((message) => (message.type === 'marked' ? [message] : []));
}

/** A stream that played all, waited, and played what came then. */
async function starved(test: Parameters<HostRule['check']>[0]): Promise<{ stream: SendStream }> {
  const link = await sendLink(test);
  const stream = await SendStream.opened(test, link);
  stream.send(10);
  await stream.played();
  await link.peer.heard.find(() => false, test.quietMs);
  stream.send(10);
  stream.mark('end', stream.next);
  await stream.marked('end');
  await stream.played();
  return { stream };
}

/** A stream with more in the host's buffer than it can have played yet. */
async function buffered(
  test: Parameters<HostRule['check']>[0],
): Promise<{ link: SendLink; stream: SendStream; count: number }> {
  const link = await sendLink(test);
  const stream = await SendStream.opened(test, link);
  const count = Math.min(stream.credit, 1500);
  if (count < SOME) throw new NotApplicable('the host grants too little credit');
  stream.send(count);
  return { link, stream, count };
}
