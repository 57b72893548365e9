import type { StreamCloseMessage } from '@earshot/bridge-protocol';
import { sequenceDistance } from '@earshot/bridge-protocol';
import { NotApplicable, require } from '../outcome.js';
import type { Attachment } from './attachment.js';
import type { HostRule, HostTest } from './host-test.js';
import type { HeardItem, MediaManner, MediaPeer } from './media-peer.js';

/** A credit with which frames soon wait. */
const FEW = 3;
/** Losses of a source that are few. */
const FEW_LOST = 0.2;

/** Streams that end, now and after a break. Needs a source that leaves. */
export const STREAM_END_RULES: readonly HostRule[] = [
  {
    id: 'M-10',
    title: 'streamClose.nextSequence is one past the last slot, and no frame comes after it',
    limitMs: 40_000,
    async check(test) {
      const { peer, closed } = await ended(test, {});
      await peer.heard.find(() => false, test.quietMs);
      const at = peer.heard.items.findIndex((item) => isCloseOf(item, closed.streamId));
      const after = peer.heard.items.findIndex(
        (item, n) => n > at && item.kind === 'frame' && item.frame.streamId === closed.streamId,
      );
      require(after === -1, 'no frame after streamClose', 'one');
      const last = peer.frames.findLast(({ streamId }) => streamId === closed.streamId);
      if (last === undefined) throw new NotApplicable('the stream that ended had no frames');
      const past = sequenceDistance(last.sequence, closed.nextSequence);
      require(past >= 1, `nextSequence past ${last.sequence}`, closed.nextSequence);
    },
  },
  {
    id: 'R-19',
    title: 'streamClose waits until every slot of the stream was sent or told',
    limitMs: 60_000,
    async check(test) {
      const { peer } = await test.withAudio({ creditFrames: FEW, acknowledges: false });
      // Long enough for a source to leave meanwhile, or nearly.
      await peer.heard.find(() => false, 4 * test.quietMs);
      peer.change({ acknowledges: true });
      peer.progress();
      const closed = await closeOf(test, peer);
      const { streamId, nextSequence } = closed;
      const at = peer.heard.items.findIndex((item) => isCloseOf(item, streamId));
      const start = peer.streams.get(streamId)!.opened.firstSequence;
      const slots = sequenceDistance(start, nextSequence);
      const known = peer.heard.items
        .slice(0, at)
        .reduce((sum, item) => sum + slotsOf(item, streamId), 0);
      const isKnown = slots - known <= Math.max(2, slots * FEW_LOST);
      require(isKnown, `${slots} slots of stream ${streamId} sent or told`, known);
    },
  },
  {
    id: 'R-6.closed',
    title: 'a closed stream that is not durable to its end is opened again, sent and closed',
    limitMs: 60_000,
    async check(test) {
      const { attachment, peer: first, closed } = await ended(test, { isDurable: false });
      const { streamId, nextSequence } = closed;
      const from = first.frames.find((frame) => frame.streamId === streamId)?.sequence;
      if (from === undefined) throw new NotApplicable('the stream that ended had no frames');
      const peer = await resumedAt(test, attachment, first, {
        streamId,
        durableSequence: from,
      });
      const again = await peer.heard.find((item) => isCloseOf(item, streamId), test.audioMs);
      require(peer.streams.has(streamId), `streamOpen of stream ${streamId}`, 'none');
      const next =
        again?.kind === 'message' && isClose(again) ? again.message.nextSequence : undefined;
      require(next === nextSequence, `streamClose at ${nextSequence}`, next ?? 'none');
      const known = peer.heard.items.reduce((sum, item) => sum + slotsOf(item, streamId), 0);
      require(known > 0, 'its frames again, or what is told of them', 'neither');
    },
  },
  {
    id: 'R-6',
    title: 'streams are opened again with the same kind, sourceId and codec',
    limitMs: 60_000,
    async check(test) {
      const { attachment, peer: first } = await test.withAudio({ isDurable: false }, 10);
      const peer = await resumedAt(test, attachment, first);
      const isAgain = (): boolean =>
        [...first.streams.keys()].every((streamId) => peer.streams.has(streamId));
      await peer.heard.find(isAgain, test.quietMs);
      for (const [streamId, { opened: before }] of first.streams) {
        const isOver = first.heard.items.some((item) => isCloseOf(item, streamId));
        if (isOver) continue;
        const after = peer.streams.get(streamId)?.opened;
        require(after !== undefined, `streamOpen of stream ${streamId}`, 'none');
        for (const member of ['kind', 'sourceId', 'codec'] as const) {
          const [was, is] = [before[member], after[member]];
          require(is === was, `${member} ${was}`, is);
        }
      }
    },
  },
  {
    id: 'R-6.over',
    title: 'a closed stream whose end resume lists is not opened again',
    limitMs: 60_000,
    async check(test) {
      const { attachment, peer: first, closed } = await ended(test, { isDurable: false });
      const { streamId, nextSequence } = closed;
      const peer = await resumedAt(test, attachment, first, {
        streamId,
        durableSequence: nextSequence,
      });
      const opened = peer.streams.get(streamId);
      require(opened === undefined, `no streamOpen of stream ${streamId}`, 'one');
    },
  },
];

/** A link on which a stream was closed. @throws NotApplicable when none is. */
async function ended(
  test: HostTest,
  manner: Partial<MediaManner>,
): Promise<{ attachment: Attachment; peer: MediaPeer; closed: StreamCloseMessage }> {
  const { attachment, peer } = await test.withAudio(manner);
  return { attachment, peer, closed: await closeOf(test, peer) };
}

async function closeOf(test: HostTest, peer: MediaPeer): Promise<StreamCloseMessage> {
  const found = await peer.heard.find(isClose, test.audioMs);
  if (found !== undefined) return found.message;
  throw new NotApplicable(`no source left within ${test.audioMs} ms`);
}

/** The next link, when some frames came on it. */
async function resumedAt(
  test: HostTest,
  attachment: Attachment,
  first: MediaPeer,
  ...resume: readonly { readonly streamId: number; readonly durableSequence: number }[]
): Promise<MediaPeer> {
  attachment.manner = { ...attachment.manner, resume };
  await first.wire.break();
  const peer = await test.opened(attachment, 1, test.redialMs);
  if (await peer.hasFrames(10, test.audioMs)) return peer;
  throw new NotApplicable('too few frames came after the break');
}

interface CloseItem {
  readonly kind: 'message';
  readonly message: StreamCloseMessage;
}

function isClose(item: HeardItem): item is CloseItem {
  return item.kind === 'message' && item.message.type === 'streamClose';
}

function isCloseOf(item: HeardItem, streamId: number): boolean {
  return isClose(item) && item.message.streamId === streamId;
}

/** How many slots of a stream an item is about. */
function slotsOf(item: HeardItem, streamId: number): number {
  if (item.kind === 'frame') return item.frame.streamId === streamId ? 1 : 0;
  if (item.kind !== 'message' || item.message.type !== 'discarded') return 0;
  return item.message.streamId === streamId ? item.message.frames : 0;
}
