import type { DiscardedMessage } from '@earshot/bridge-protocol';
import { sequenceDistance } from '@earshot/bridge-protocol';
import { NotApplicable, require } from '../outcome.js';
import type { Attachment } from './attachment.js';
import type { HostRule, HostSession, HostTest } from './host-test.js';
import type { HeardFrame, HeardItem, MediaPeer } from './media-peer.js';

const REPLAYED = 0x02;
/** What is sent before the break, over all streams. */
const BEFORE = 40;
/** How far back the worker asks for. */
const BACK = 8;

interface Broken {
  readonly session: HostSession;
  readonly attachment: Attachment;
  readonly peer: MediaPeer;
  /** The busiest stream of the first link, and its frames. */
  readonly streamId: number;
  readonly frames: readonly HeardFrame[];
  /** From where the next worker wants that stream. */
  readonly durableSequence: number;
}

/** What comes after a break. Needs audio and a replay window. */
export const RESUME_RULES: readonly HostRule[] = [
  {
    id: 'R-7',
    title: 'after a break firstSequence and the first frame are those of resume',
    limitMs: 60_000,
    check: (test) =>
      again(test, async ({ streamId, durableSequence }, peer) => {
        const opened = peer.streams.get(streamId)?.opened;
        require(opened !== undefined, `streamOpen of stream ${streamId}`, 'none');
        const { firstSequence } = opened;
        require(firstSequence === durableSequence, `first ${durableSequence}`, firstSequence);
        const first = peer.frames.find((frame) => frame.streamId === streamId);
        require(first !== undefined, `frames of stream ${streamId}`, 'none');
        require(first.sequence === durableSequence, `frame ${durableSequence}`, first.sequence);
      }),
  },
  {
    id: 'R-11',
    title: 'frames that an earlier link carried are flagged replayed, and no others',
    limitMs: 60_000,
    check: (test) =>
      again(test, async ({ streamId, frames }, peer) => {
        const newest = frames.at(-1)!.sequence;
        const isNew = ({ flags }: HeardFrame): boolean => (flags & REPLAYED) === 0;
        const isOfStream = (frame: HeardFrame): boolean => frame.streamId === streamId;
        const fresh = await peer.heard.find(
          (item) => item.kind === 'frame' && isOfStream(item.frame) && isNew(item.frame),
          test.audioMs,
        );
        require(fresh !== undefined, 'frames that are not replayed in the end', 'none');
        let isPast = false;
        for (const frame of peer.frames.filter(isOfStream)) {
          const wasHeard = sequenceDistance(frame.sequence, newest) >= 0;
          require(!(wasHeard && isNew(frame)), `frame ${frame.sequence} replayed`, 'not so');
          // What broke with the link was sent as well, unheard: it ends where the new begins.
          require(!isPast || isNew(frame), `frame ${frame.sequence} not replayed`, 'replayed');
          isPast = isNew(frame);
        }
      }),
  },
  {
    id: 'R-1',
    title: 'replayed frames are the same frames: ticks and payload',
    limitMs: 60_000,
    check: (test) =>
      again(test, async ({ streamId, frames }, peer) => {
        const sent = new Map(frames.map((frame) => [frame.sequence, frame]));
        let compared = 0;
        for (const frame of peer.frames) {
          const before = frame.streamId === streamId ? sent.get(frame.sequence) : undefined;
          if (before === undefined) continue;
          compared += 1;
          const isSame =
            Buffer.compare(before.payload, frame.payload) === 0 &&
            before.captureTicks === frame.captureTicks;
          require(isSame, `frame ${frame.sequence} as it was`, 'another payload or time');
        }
        if (compared === 0) throw new NotApplicable('nothing was replayed', 'R-7');
      }),
  },
  {
    id: 'Q-1.links',
    title: 'sequence goes on over links: no slot is skipped by a break',
    limitMs: 60_000,
    check: (test) =>
      again(test, async ({ streamId, durableSequence, frames }, peer) => {
        const sent = new Set(frames.map(({ sequence }) => sequence));
        const resent = new Set(
          peer.frames.filter((f) => f.streamId === streamId).map(({ sequence }) => sequence),
        );
        for (const sequence of sent) {
          if (sequenceDistance(durableSequence, sequence) < 0) continue;
          require(resent.has(sequence), `frame ${sequence} again`, 'not sent');
        }
      }),
  },
  {
    id: 'R-10',
    title: 'slots past the window are told by discarded, reason window, before the first frame',
    limitMs: 90_000,
    async check(test) {
      const { first, start, peer, streamId } = await outlived(test);
      const at = peer.heard.items.findIndex(
        (item) => item.kind === 'frame' && item.frame.streamId === streamId,
      );
      const told = discardedBefore(peer, streamId, at);
      const frame = peer.frames.find((f) => f.streamId === streamId)!;
      const slots = sequenceDistance(start, frame.sequence);
      if (slots === 0) throw new NotApplicable('the host kept all of it');
      const sum = told.reduce((frames, range) => frames + range.frames, 0);
      // But for those that the source lost.
      require(sum >= slots * 0.9 - 2, `discarded of ${slots} slots from ${start}`, sum);
      const heard = new Set(first.frames.map(({ sequence }) => sequence));
      const odd = told.find(
        ({ firstSequence, reason }) => heard.has(firstSequence) && reason !== 'window',
      );
      require(odd === undefined, 'reason window for frames that were sent', odd?.reason);
    },
  },
  {
    id: 'R-10.before',
    title: 'nothing is told of slots before the start',
    limitMs: 60_000,
    check: (test) =>
      again(test, async ({ streamId, durableSequence }, peer) => {
        const early = discardedBefore(peer, streamId, peer.heard.items.length).find(
          ({ firstSequence }) => sequenceDistance(firstSequence, durableSequence) > 0,
        );
        require(early === undefined, `nothing before ${durableSequence}`, early?.firstSequence);
      }),
  },
  {
    id: 'R-8',
    title: 'a stream that resume does not list starts at the last durable told',
    limitMs: 60_000,
    async check(test) {
      const {
        attachment,
        streamId,
        durableSequence,
        peer: first,
      } = await broken(test, {
        tellsDurable: true,
      });
      attachment.manner = { ...attachment.manner, resume: [] };
      await first.wire.break();
      const peer = await test.opened(attachment, 1, test.redialMs);
      await requireAudio(test, peer);
      const started = peer.streams.get(streamId)?.opened.firstSequence;
      require(started === durableSequence, `first ${durableSequence}`, started ?? 'no streamOpen');
    },
  },
  {
    id: 'R-20',
    title: "moved to another worker, the new one's resume decides",
    limitMs: 60_000,
    async check(test) {
      const { session, streamId, durableSequence } = await broken(test);
      const resume = [{ streamId, durableSequence }];
      const next = await test.attach(session, { resume });
      const peer = await test.opened(next, 0, test.redialMs);
      await requireAudio(test, peer);
      const first = peer.frames.find((frame) => frame.streamId === streamId);
      require(first !== undefined, `frames of stream ${streamId}`, 'none');
      require(first.sequence === durableSequence, `frame ${durableSequence}`, first.sequence);
    },
  },
];

/** A link that broke when its first frames had left the window, and the next, which asks for all. */
async function outlived(test: HostTest): Promise<{
  first: { readonly frames: readonly HeardFrame[] };
  start: number;
  streamId: number;
  peer: MediaPeer;
}> {
  const { attachment, peer: first } = await test.withAudio({ isDurable: false }, BEFORE);
  const { replayWindowMs } = await first.hello();
  if (replayWindowMs === 0) throw new NotApplicable('the host keeps no frames');
  if (replayWindowMs > test.patienceMs) {
    throw new NotApplicable(`its window of ${replayWindowMs} ms would take long to pass`);
  }
  await first.heard.find(() => false, replayWindowMs * 1.5 + test.quietMs);
  const streamId = busiest(first);
  const frames = first.frames.filter((frame) => frame.streamId === streamId);
  const start = frames[0]!.sequence;
  attachment.manner = { ...attachment.manner, resume: [{ streamId, durableSequence: start }] };
  await first.wire.break();
  const peer = await test.opened(attachment, 1, test.redialMs);
  const isFrame = (item: HeardItem): boolean =>
    item.kind === 'frame' && item.frame.streamId === streamId;
  if ((await peer.heard.find(isFrame, test.audioMs)) === undefined) {
    throw new NotApplicable('no frames came after the break');
  }
  return { first: { frames }, start, streamId, peer };
}

/** What was told of a stream as discarded before the item of this index. */
function discardedBefore(peer: MediaPeer, streamId: number, index: number): DiscardedMessage[] {
  return peer.heard.items.slice(0, index).flatMap((item) => {
    if (item.kind !== 'message' || item.message.type !== 'discarded') return [];
    return item.message.streamId === streamId ? [item.message] : [];
  });
}

/** Has audio sent, breaks the link, asks for the last frames again, and checks what comes. */
async function again(
  test: HostTest,
  check: (before: Broken, peer: MediaPeer) => Promise<void>,
): Promise<void> {
  const before = await broken(test);
  const { attachment, streamId, durableSequence, peer: first } = before;
  attachment.manner = { ...attachment.manner, resume: [{ streamId, durableSequence }] };
  await first.wire.break();
  // What came between the choice and the break was sent as well.
  const frames = first.frames.filter((frame) => frame.streamId === streamId);
  const peer = await test.opened(attachment, 1, test.redialMs);
  await requireAudio(test, peer);
  const newest = frames.at(-1)!.sequence;
  const isPast = (item: HeardItem): boolean =>
    item.kind === 'frame' &&
    item.frame.streamId === streamId &&
    sequenceDistance(newest, item.frame.sequence) >= 0;
  await peer.heard.find(isPast, test.audioMs);
  await check({ ...before, frames }, peer);
}

async function broken(
  test: HostTest,
  { tellsDurable = false }: { readonly tellsDurable?: boolean } = {},
): Promise<Broken> {
  const { session, attachment, peer } = await test.withAudio({ isDurable: false }, BEFORE);
  const { replayWindowMs } = await peer.hello();
  if (replayWindowMs === 0)
    throw new NotApplicable('the host keeps no frames: replayWindowMs is 0');
  const streamId = busiest(peer);
  const frames = peer.frames.filter((frame) => frame.streamId === streamId);
  const durableSequence = frames.at(-BACK)?.sequence;
  if (durableSequence === undefined) throw new NotApplicable('too few frames of one stream came');
  if (tellsDurable) {
    const { received } = peer.streams.get(streamId)!;
    const streams = [{ streamId, received, durable: durableSequence }];
    peer.change({ acknowledges: false });
    peer.say({ type: 'progress', streams, creditFrames: 1000 });
    // A ping that comes after it shows nothing; that it is read before the break is all but sure.
    await peer.heard.find(() => false, test.quietMs);
  }
  return { session, attachment, peer, streamId, frames, durableSequence };
}

async function requireAudio(test: HostTest, peer: MediaPeer): Promise<void> {
  if (await peer.hasFrames(BACK * 3, test.audioMs)) return;
  peer.requireOpen();
  throw new NotApplicable('too few frames came after the break');
}

function busiest(peer: MediaPeer): number {
  const counts = new Map<number, number>();
  for (const { streamId } of peer.frames) counts.set(streamId, (counts.get(streamId) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? 0;
}
