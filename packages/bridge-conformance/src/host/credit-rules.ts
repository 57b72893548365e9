import type { DiscardedMessage } from '@earshot/bridge-protocol';
import { sequenceDistance } from '@earshot/bridge-protocol';
import { NotApplicable, require } from '../outcome.js';
import type { HostRule, HostTest } from './host-test.js';
import type { HeardItem, MediaPeer } from './media-peer.js';

/** A credit that is soon used up, and shows whose it is. */
const CREDIT = 10;
/** More streams than are looked at. */
const MAX_STREAMS = 64;
/** A credit that is used up at once. */
const FEW = 5;
/** Frames after the stall that are looked at. */
const MANY = 20;
/** Frames that waited for credit, of all streams. */
const BURST = 40;
/** A message may hold some frames of one stream before those of the next. */
const IN_STEP_MS = 100;

/** Flow control, and what a full ring drops. Needs audio. */
export const CREDIT_RULES: readonly HostRule[] = [
  {
    id: 'C-1',
    title: 'no more frames of a stream are in flight than the credit allows',
    async check(test) {
      const { peer } = await test.withAudio({ creditFrames: CREDIT, acknowledges: false });
      await peer.hasFrames(MAX_STREAMS * CREDIT + 1, 2 * test.quietMs);
      for (const [streamId, count] of countsOf(peer)) {
        require(count <= CREDIT, `${CREDIT} frames of stream ${streamId} at most`, count);
      }
      // And on they come, when there is credit again.
      const had = peer.frames.length;
      peer.change({ acknowledges: true });
      peer.progress();
      const goesOn = await peer.hasFrames(had + 1, test.audioMs);
      require(goesOn, 'more frames after progress', 'none');
    },
  },
  {
    id: 'C-1.each',
    title: 'the credit is that of each stream: one that is used up holds up no other',
    async check(test) {
      const { peer } = await test.withAudio({ creditFrames: CREDIT, acknowledges: false });
      const slow = await fullStream(test, peer);
      const had = peer.frames.length;
      peer.change({ acknowledges: true, holdsBack: slow });
      peer.progress();
      const goesOn = await peer.hasFrames(had + 3 * CREDIT, test.audioMs);
      require(goesOn, 'frames of the other streams to go on', peer.frames.length - had);
      const held = countsOf(peer).get(slow) ?? 0;
      require(held <= CREDIT, `${CREDIT} frames of stream ${slow} at most`, held);
    },
  },
  {
    id: 'C-1.none',
    title: 'with a credit of 0 no frame is sent',
    async check(test) {
      const { peer } = await test.withAudioExpected({ creditFrames: 0 });
      const comes = await peer.hasFrames(1, test.quietMs);
      require(!comes, 'no frame', 'one');
      peer.change({ creditFrames: 1000 });
      peer.progress();
      if (await peer.hasFrames(1, test.audioMs)) return;
      throw new NotApplicable('no audio came with credit either');
    },
  },
  {
    id: 'C-1.full',
    title: 'a ring that overflows makes no room for more frames in flight',
    limitMs: 90_000,
    async check(test) {
      const peer = await overflown(test);
      for (const [streamId, count] of countsOf(peer)) {
        require(count <= FEW, `${FEW} frames of stream ${streamId} at most`, count);
      }
    },
  },
  {
    id: 'C-6',
    title: 'frames that a full ring drops are told by discarded, before later frames',
    limitMs: 90_000,
    async check(test) {
      requireToldJumps(await resumed(test));
    },
  },
  {
    id: 'C-6.reason',
    title: 'what a full ring drops unsent is told with reason overflow',
    limitMs: 90_000,
    async check(test) {
      const peer = await resumed(test);
      const told = discardedOf(peer);
      if (told.length === 0) throw new NotApplicable('its ring did not overflow');
      const odd = told.find(({ reason }) => reason !== 'overflow');
      require(odd === undefined, 'reason overflow', odd?.reason);
    },
  },
  {
    id: 'M-11',
    title: 'ranges told by discarded come in order, do not overlap, and are not sent',
    limitMs: 90_000,
    async check(test) {
      const peer = await resumed(test);
      const last = new Map<number, number>();
      let told = 0;
      for (const item of peer.heard.items) {
        const range = rangeOf(item);
        if (range === undefined) continue;
        const { streamId, first, end } = range;
        const before = last.get(streamId);
        const isNext = before === undefined || sequenceDistance(before, first) >= 0;
        require(isNext, `slots of stream ${streamId} from ${before} on`, first);
        last.set(streamId, end);
        if (item.kind === 'message') told += 1;
      }
      if (told === 0) throw new NotApplicable('its ring did not overflow');
    },
  },
  {
    id: 'R-18',
    title:
      'what is told as discarded and what is missing is the same, but for losses of the source',
    limitMs: 90_000,
    async check(test) {
      const peer = await resumed(test);
      const told = discardedOf(peer);
      if (told.length === 0) throw new NotApplicable('its ring did not overflow');
      for (const streamId of peer.streams.keys()) {
        const sum = told
          .filter((range) => range.streamId === streamId)
          .reduce((frames, range) => frames + range.frames, 0);
        const { lost, slots } = lossesOf(peer, streamId);
        require(sum <= lost, `discarded of ${lost} slots of stream ${streamId} at most`, sum);
        // A source loses few of its frames.
        const most = Math.max(2, slots / 10);
        require(lost - sum <= most, `discarded of ${lost} slots of stream ${streamId}`, sum);
      }
    },
  },
  {
    id: 'C-7',
    title: 'streams that waited for credit are sent in step, the oldest capture first',
    async check(test) {
      const { peer } = await test.withAudioExpected({ creditFrames: 0 });
      await peer.heard.find(() => false, 2 * test.quietMs);
      peer.change({ creditFrames: 1000 });
      peer.progress();
      if (!(await peer.hasFrames(BURST, test.audioMs))) {
        throw new NotApplicable('too few frames waited');
      }
      if (countsOf(peer).size < 2) throw new NotApplicable('frames of one stream only came');
      let newest = 0n;
      for (const { captureTicks, streamId } of peer.frames) {
        const behindMs = Number(newest - captureTicks) / 10_000;
        const isInStep = behindMs <= IN_STEP_MS;
        require(isInStep, `stream ${streamId} within ${IN_STEP_MS} ms`, `${behindMs} ms behind`);
        if (captureTicks > newest) newest = captureTicks;
      }
    },
  },
];

/** A link with little credit and no progress, for longer than the host's window. */
async function overflown(test: HostTest): Promise<MediaPeer> {
  const { peer } = await test.withAudio({ creditFrames: FEW, acknowledges: false });
  const { replayWindowMs } = await peer.hello();
  if (replayWindowMs > test.patienceMs) {
    throw new NotApplicable(`its window of ${replayWindowMs} ms would take long to overflow`);
  }
  // The window fills, and half of it again.
  await peer.heard.find(() => false, replayWindowMs * 1.5 + test.quietMs);
  return peer;
}

/** As `overflown`, with credit again and some frames. */
async function resumed(test: HostTest): Promise<MediaPeer> {
  const peer = await overflown(test);
  const had = peer.frames.length;
  peer.change({ acknowledges: true, creditFrames: 1000 });
  peer.progress();
  if (await peer.hasFrames(had + MANY, test.audioMs)) return peer;
  throw new NotApplicable('no audio came with credit again');
}

/** A stream that has used up its credit, as another has too. */
async function fullStream(test: HostTest, peer: MediaPeer): Promise<number> {
  const full = (): number[] =>
    [...countsOf(peer)].flatMap(([streamId, count]) => (count >= CREDIT ? [streamId] : []));
  await peer.heard.find(() => full().length >= 2, test.audioMs);
  const counts = [...countsOf(peer).values()];
  if (counts.length < 2) throw new NotApplicable('it needs two sources that are heard');
  const [first, second] = full();
  // Where all share one credit, no two come that far.
  require(second !== undefined, `${CREDIT} frames of each of two streams`, counts.join(' and '));
  return first!;
}

function countsOf(peer: MediaPeer): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { streamId } of peer.frames) counts.set(streamId, (counts.get(streamId) ?? 0) + 1);
  return counts;
}

function discardedOf(peer: MediaPeer): DiscardedMessage[] {
  return peer.texts.flatMap((message) => (message.type === 'discarded' ? [message] : []));
}

/** The slots that a frame or a `discarded` is about. */
function rangeOf(
  item: HeardItem,
): { readonly streamId: number; readonly first: number; readonly end: number } | undefined {
  if (item.kind === 'frame') {
    const { streamId, sequence } = item.frame;
    return { streamId, first: sequence, end: (sequence + 1) >>> 0 };
  }
  if (item.kind !== 'message' || item.message.type !== 'discarded') return undefined;
  const { streamId, firstSequence, frames } = item.message;
  return { streamId, first: firstSequence, end: (firstSequence + frames) >>> 0 };
}

/** Slots that were told or jumped over up to the last frame, and all slots up to there. */
function lossesOf(
  peer: MediaPeer,
  streamId: number,
): { readonly lost: number; readonly slots: number } {
  const first = peer.streams.get(streamId)?.opened.firstSequence ?? 0;
  let end = first;
  let came = 0;
  for (const item of peer.heard.items) {
    const range = rangeOf(item);
    if (range?.streamId !== streamId) continue;
    if (item.kind === 'frame') came += 1;
    if (sequenceDistance(end, range.end) > 0) end = range.end;
  }
  const slots = sequenceDistance(first, end);
  return { lost: slots - came, slots };
}

/** @throws Mismatch when sequence jumps where nothing was told as discarded. */
function requireToldJumps(peer: MediaPeer): void {
  const told = new Map<number, { readonly first: number; readonly frames: number }[]>();
  const last = new Map<number, number>();
  let jumped = 0;
  for (const item of peer.heard.items) {
    if (item.kind === 'message' && item.message.type === 'discarded') {
      const { streamId, firstSequence: first, frames } = item.message;
      told.set(streamId, [...(told.get(streamId) ?? []), { first, frames }]);
    }
    if (item.kind !== 'frame') continue;
    const { streamId, sequence } = item.frame;
    const expected = ((last.get(streamId) ?? sequence - 1) + 1) >>> 0;
    last.set(streamId, sequence);
    const slots = sequenceDistance(expected, sequence);
    // A slot or two may be the source's own loss, which needs not be told.
    if (slots <= 2) continue;
    jumped += slots;
    const covered = (told.get(streamId) ?? []).reduce(
      (sum, range) => sum + overlap(range, expected, slots),
      0,
    );
    const missing = slots - covered;
    require(missing <= slots / 2, `discarded of ${slots} slots from ${expected}`, `${covered}`);
  }
  if (jumped === 0) throw new NotApplicable('its ring did not overflow');
}

function overlap(
  { first, frames }: { readonly first: number; readonly frames: number },
  from: number,
  count: number,
): number {
  const start = Math.max(0, sequenceDistance(from, first));
  const end = Math.min(count, sequenceDistance(from, first) + frames);
  return Math.max(0, end - start);
}
