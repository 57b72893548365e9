import { CODEC, sequenceDistance } from '@earshot/bridge-protocol';
import { Mismatch, NotApplicable, require } from '../outcome.js';
import type { HostRule } from './host-test.js';
import type { HeardFrame } from './media-peer.js';

const KNOWN_FLAGS = 0x07;
const REPLAYED = 0x02;
const DISCONTINUITY = 0x04;
const TICKS_PER_FRAME = 200_000n;
/** A capture clock is not exact to the tick; a frame's half is more than it may be off. */
const JITTER_TICKS = 100_000n;
/** Enough to show a habit: half a second of two streams. */
const MANY = 50;

/** Frames: their layout, order and times. Needs audio. */
export const AUDIO_RULES: readonly HostRule[] = [
  {
    id: 'F-2',
    title: 'every binary message is well-formed (F-1 to F-9)',
    async check(test) {
      const { peer } = await test.withAudioOrBad(MANY);
      const bad = peer.heard.items.find((item) => item.kind === 'badFrames');
      if (bad?.kind === 'badFrames') throw new Mismatch('a legal message', bad.error.message);
    },
  },
  {
    id: 'J-1.media',
    title: 'every message on a media link is valid',
    async check(test) {
      const { peer } = await test.withAudio({}, MANY);
      const bad = peer.heard.items.find((item) => item.kind === 'badText');
      if (bad?.kind === 'badText') throw new Mismatch('valid messages', bad.fault);
    },
  },
  {
    id: 'F-11',
    title: 'flag bits without a name are 0',
    async check(test) {
      const { peer } = await test.withAudio({}, MANY);
      const odd = peer.frames.find(({ flags }) => (flags & ~KNOWN_FLAGS) !== 0);
      require(odd === undefined, 'flags of 0x07 at most', odd?.flags);
    },
  },
  {
    id: 'F-12',
    title: "the codec of each frame is silence or that of its stream's streamOpen",
    async check(test) {
      const { peer } = await test.withAudio({}, MANY);
      for (const { streamId, codec } of peer.frames) {
        const opened = peer.streams.get(streamId)?.opened;
        if (opened === undefined || codec === CODEC.silence) continue;
        require(codec === CODEC[opened.codec], opened.codec, `codec ${codec}`);
      }
    },
  },
  {
    id: 'M-3',
    title: 'streamOpen comes before the first frame of its stream',
    async check(test) {
      const { peer } = await test.withAudio({}, MANY);
      const open = new Set<number>();
      for (const item of peer.heard.items) {
        if (item.kind === 'message' && item.message.type === 'streamOpen') {
          open.add(item.message.streamId);
        }
        if (item.kind !== 'frame') continue;
        const { streamId } = item.frame;
        require(open.has(streamId), `streamOpen of ${streamId}`, 'a frame');
      }
    },
  },
  {
    id: 'Q-6',
    title: 'the frames of a stream come in order of sequence, each once',
    async check(test) {
      const { peer } = await test.withAudio({}, MANY);
      for (const [before, frame] of pairs(peer.frames)) {
        const steps = sequenceDistance(before.sequence, frame.sequence);
        require(steps > 0, `more than ${before.sequence}`, frame.sequence);
      }
    },
  },
  {
    id: 'Q-1',
    title: 'sequence starts at firstSequence and counts slots: jumps are few and small',
    async check(test) {
      const { peer } = await test.withAudio({}, MANY);
      let lost = 0;
      for (const [before, frame] of pairs(peer.frames)) {
        lost += sequenceDistance(before.sequence, frame.sequence) - 1;
      }
      // Losses are legal, on a good network few: most slots jumped over is another way to count.
      require(lost <= peer.frames.length, `at most ${peer.frames.length} slots lost`, lost);
    },
  },
  {
    id: 'T-1',
    title: 'captureTicks go on by 20 ms a slot at least, and never back',
    async check(test) {
      const { peer } = await test.withAudio({}, MANY);
      for (const [before, frame] of pairs(peer.frames)) {
        const slots = BigInt(sequenceDistance(before.sequence, frame.sequence));
        const least = before.captureTicks + slots * TICKS_PER_FRAME - JITTER_TICKS;
        const isLater = frame.captureTicks >= least && frame.captureTicks >= before.captureTicks;
        require(isLater, `captureTicks ${least} or later`, String(frame.captureTicks));
      }
    },
  },
  {
    id: 'Q-4',
    title: 'a frame after a jump of captureTicks alone has the flag discontinuity',
    async check(test) {
      const { peer } = await test.withAudio({}, MANY);
      let jumps = 0;
      for (const [before, frame] of pairs(peer.frames)) {
        const slots = BigInt(sequenceDistance(before.sequence, frame.sequence));
        const most = before.captureTicks + slots * TICKS_PER_FRAME + JITTER_TICKS;
        if (frame.captureTicks <= most) continue;
        jumps += 1;
        const isTold = (frame.flags & DISCONTINUITY) !== 0;
        require(isTold, 'the flag discontinuity', `flags ${frame.flags}`);
      }
      if (jumps === 0) throw new NotApplicable('no silence was left out while it listened');
    },
  },
  {
    id: 'T-2',
    title: 'captureTicks lie past mediaEpochTicks, within a day',
    async check(test) {
      const { peer } = await test.withAudio({}, MANY);
      const epoch = BigInt((await peer.hello()).mediaEpochTicks);
      const day = 864_000_000_000n;
      for (const { captureTicks } of peer.frames) {
        const isNear = captureTicks >= epoch - day && captureTicks <= epoch + day;
        require(isNear, `ticks near ${epoch}`, String(captureTicks));
      }
    },
  },
  {
    id: 'R-11.first',
    title: 'frames of the first link of a call have not the flag replayed',
    async check(test) {
      const { peer } = await test.withAudio({}, MANY);
      const odd = peer.frames.find(({ flags }) => (flags & REPLAYED) !== 0);
      require(odd === undefined, 'no flag replayed', odd?.sequence);
    },
  },
];

/** Each frame with the one before it of the same stream. */
function* pairs(frames: readonly HeardFrame[]): Iterable<readonly [HeardFrame, HeardFrame]> {
  const last = new Map<number, HeardFrame>();
  for (const frame of frames) {
    const before = last.get(frame.streamId);
    if (before !== undefined) yield [before, frame];
    last.set(frame.streamId, frame);
  }
}
