import { NotApplicable, require } from '../outcome.js';
import type { HostRule, HostTest } from './host-test.js';
import type { SendLink } from './send-stream.js';
import { SendStream, sendLink } from './send-stream.js';

const SOME = 30;
/** Another number than on the first link. */
const OTHER_ID = 7;
const PING_MS = 200;
/** So long it takes to play them, and a little. */
const PLAYED_MS = SOME * 20 + 200;

/** The way back over breaks, moves and the end. */
export const SEND_RESUME_RULES: readonly HostRule[] = [
  {
    id: 'W-26',
    title: 'after a break the host plays what it has buffered',
    limitMs: 40_000,
    async check(test) {
      const { sendId, link } = await interrupted(test);
      await link.peer.heard.find(() => false, PLAYED_MS);
      const stream = await SendStream.opened(test, link, { streamId: OTHER_ID, sendId });
      stream.clear();
      const { frames } = (await stream.tells('cleared')).message;
      require(frames === 0, 'nothing left to play', frames);
    },
  },
  {
    id: 'W-27',
    title: 'sendOpen of a sendId that is kept goes on at its received, under any streamId',
    limitMs: 40_000,
    async check(test) {
      const { sendId, link } = await interrupted(test);
      await requireStart(test, link, { streamId: OTHER_ID, sendId }, SOME);
    },
  },
  {
    id: 'W-27.other',
    title: 'sendOpen of another sendId after a break begins at its firstSequence',
    limitMs: 40_000,
    async check(test) {
      const { link } = await interrupted(test);
      await requireStart(test, link, { firstSequence: 5 }, 5);
    },
  },
  {
    id: 'W-27.over',
    title: 'sendOpen of a sendId that was closed begins at its firstSequence',
    limitMs: 40_000,
    async check(test) {
      const link = await sendLink(test);
      const first = await SendStream.opened(test, link);
      first.send(5);
      first.close();
      await first.tells('sendClosed');
      const { sendId } = first;
      await requireStart(test, link, { streamId: OTHER_ID, sendId }, 0);
    },
  },
  {
    id: 'W-28',
    title: 'a mark that is repeated after a break is answered once',
    limitMs: 40_000,
    async check(test) {
      const { sendId, link } = await interrupted(test);
      const stream = await SendStream.opened(test, link, { sendId });
      stream.mark('later', SOME + 5);
      stream.send(10);
      const { outcome } = (await stream.marked('later')).message;
      require(outcome === 'played', 'outcome played', outcome);
      await link.peer.heard.find(() => false, test.quietMs);
      const count = link.peer.texts.filter(
        (message) => message.type === 'marked' && message.name === 'later',
      ).length;
      require(count === 1, 'one marked', count);
    },
  },
  {
    id: 'W-28.anew',
    title: 'a mark that came true meanwhile is answered anew when it is repeated',
    limitMs: 40_000,
    async check(test) {
      const { sendId, link } = await interrupted(test);
      await link.peer.heard.find(() => false, PLAYED_MS);
      const stream = await SendStream.opened(test, link, { sendId });
      stream.mark('end', SOME);
      const { outcome } = (await stream.marked('end')).message;
      require(outcome === 'played', 'outcome played', outcome);
    },
  },
  {
    id: 'W-28.close',
    title: 'sendClose that is repeated after a break ends the stream: sendClosed played',
    limitMs: 40_000,
    async check(test) {
      const { sendId, link } = await interrupted(test, { closes: true });
      const stream = await SendStream.opened(test, link, { sendId });
      if (stream.next !== SOME) throw new NotApplicable('the stream began anew', 'W-27');
      stream.close(SOME);
      const { reason, played } = (await stream.tells('sendClosed')).message;
      require(reason === 'played' && played === SOME, `played ${SOME}`, `${reason} ${played}`);
    },
  },
  {
    id: 'W-29',
    title: 'bye reattach keeps send streams: another worker continues them',
    limitMs: 40_000,
    async check(test) {
      const { session, peer, offer, stream } = await begun(test);
      const next = await test.attach(session, { sends: true, pingIntervalMs: PING_MS });
      const bye = await peer.bye();
      require(bye?.reason === 'reattach', 'bye reattach', bye?.reason ?? 'no bye');
      const moved = await test.opened(next, 0, test.redialMs);
      await test.taken(moved);
      const ended = await stream.find('sendClosed', { withinMs: 0 });
      require(ended === undefined, 'no sendClosed', ended?.message);
      const link = { session, attachment: next, peer: moved, offer };
      await requireStart(test, link, { sendId: stream.sendId }, SOME);
    },
  },
  {
    id: 'W-30',
    title: 'release ends send streams: sendClosed media_ended, and then bye',
    async check(test) {
      const { session, peer, stream } = await begun(test);
      const host = await test.link();
      host.say({ type: 'release', mediaId: session.mediaId });
      if ((await peer.bye()) === undefined) throw new NotApplicable('the host says no bye', 'H-11');
      const at = peer.heard.items.findIndex(
        (item) => item.kind === 'message' && item.message.type === 'bye',
      );
      const closed = await stream.find('sendClosed', { withinMs: test.quietMs });
      require(closed !== undefined, 'sendClosed', 'none');
      const { reason } = closed.message;
      require(reason === 'media_ended', 'media_ended', reason);
      require(closed.index < at, 'sendClosed before bye', 'after it');
    },
  },
];

/** A stream of which the host has all that was sent, and two marks wait. */
async function begun(test: HostTest): Promise<SendLink & { stream: SendStream }> {
  const link = await sendLink(test, { pingIntervalMs: PING_MS });
  const stream = await SendStream.opened(test, link);
  stream.send(SOME);
  stream.mark('end', SOME);
  stream.mark('later', SOME + 5);
  await stream.received();
  return { ...link, stream };
}

/** The next link after the one with such a stream broke. */
async function interrupted(
  test: HostTest,
  { closes = false }: { readonly closes?: boolean } = {},
): Promise<{ sendId: string; link: SendLink }> {
  const { session, attachment, peer: first, offer, stream } = await begun(test);
  if (closes) stream.close();
  await first.wire.break();
  if ((await stream.find('sendClosed', { withinMs: 0 })) !== undefined) {
    throw new NotApplicable('the stream was over before the link broke');
  }
  const peer = await test.opened(attachment, 1, test.redialMs);
  await test.taken(peer);
  return { sendId: stream.sendId, link: { session, attachment, peer, offer } };
}

async function requireStart(
  test: HostTest,
  link: SendLink,
  options: {
    readonly streamId?: number;
    readonly sendId?: string;
    readonly firstSequence?: number;
  },
  start: number,
): Promise<void> {
  const stream = new SendStream(test, link, options);
  stream.open();
  const { nextSequence } = (await stream.tells('sendOpened')).message;
  require(nextSequence === start, `nextSequence ${start}`, nextSequence);
}
