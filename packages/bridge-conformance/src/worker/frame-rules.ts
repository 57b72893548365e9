import { CLOSE, CODEC, FLAG, LIMITS } from '@earshot/bridge-protocol';
import type { FrameParts } from '../frame-bytes.js';
import { frameMessage, OPUS_SILENCE, PCM_SILENCE, silentFrames } from '../frame-bytes.js';
import type { WorkerRule } from './worker-test.js';

const CLOSED_BY_SOCKET_LAYER = 1009;
const HEADERS_BYTES = 22;
/** Bits of the flags that v1 has no name for. */
const UNNAMED_FLAGS = 0xf8;

const FRAME: FrameParts = { streamId: 1, sequence: 0 };
const OPUS: FrameParts = { ...FRAME, codec: CODEC.opus, payload: OPUS_SILENCE };

/** Binary messages, well-formed and not. */
export const FRAME_RULES: readonly WorkerRule[] = [
  refused('F-2.empty', 'an empty message', 'truncated', () => new Uint8Array(0)),
  refused('F-2.header', 'a message of 3 bytes', 'truncated', () => Uint8Array.of(1, 1, 0)),
  refused('F-2.frame', 'a frame header that is cut off', 'truncated', () =>
    frameMessage([FRAME]).slice(0, HEADERS_BYTES - 1),
  ),
  refused('F-2.count', 'fewer frames than frameCount says', 'truncated', () =>
    frameMessage([FRAME], { frameCount: 2 }),
  ),
  refused('F-2.payload', 'a payload that is cut off', 'truncated', () =>
    frameMessage([{ ...OPUS, payloadLength: OPUS_SILENCE.length + 1 }]),
  ),
  refused('F-3', 'version 2', 'unsupported_version', () => frameMessage([FRAME], { version: 2 }), {
    code: CLOSE.unsupportedVersion,
  }),
  refused('F-3.zero', 'version 0', 'unsupported_version', () => frameMessage([], { version: 0 }), {
    code: CLOSE.unsupportedVersion,
  }),
  refused('F-4', 'kind 2, which a worker sends', 'unsupported_kind', () =>
    frameMessage([FRAME], { kind: 2 }),
  ),
  refused('F-4.unknown', 'kind 255', 'unsupported_kind', () => frameMessage([], { kind: 255 })),
  refused('F-5', 'frameCount 1025', 'too_many_frames', () =>
    frameMessage(silentFrames(1, 0, LIMITS.maxFramesPerMessage + 1)),
  ),
  refused('F-6', 'streamId 0', 'reserved_stream_id', () =>
    frameMessage([{ ...FRAME, streamId: 0 }]),
  ),
  refused('F-7', 'codec 3', 'unsupported_codec', () => frameMessage([{ ...FRAME, codec: 3 }])),
  badLength('F-8.silence', 'silence with a payload', CODEC.silence, 1),
  badLength('F-8.opus-empty', 'an Opus payload of 0 bytes', CODEC.opus, 0),
  badLength('F-8.opus-long', 'an Opus payload of 1276 bytes', CODEC.opus, 1276),
  badLength('F-8.pcm-short', 'a PCM16 payload of 639 bytes', CODEC.pcm16, 639),
  badLength('F-8.pcm-long', 'a PCM16 payload of 642 bytes', CODEC.pcm16, 642),
  refused('F-9', 'a byte after the last frame', 'trailing_bytes', () =>
    Uint8Array.of(...frameMessage([FRAME]), 0),
  ),
  refused(
    'F-10.version',
    'a version before a kind',
    'unsupported_version',
    () => frameMessage([], { version: 9, kind: 9, frameCount: 9 }),
    { code: CLOSE.unsupportedVersion },
  ),
  refused('F-10.kind', 'a kind before a frameCount', 'unsupported_kind', () =>
    frameMessage([], { kind: 9, frameCount: 2000 }),
  ),
  refused('F-10.frame', 'a streamId before a codec before a length', 'reserved_stream_id', () =>
    frameMessage([{ streamId: 0, codec: 9, sequence: 0, payloadLength: 60_000 }]),
  ),
  refused(
    'F-10.length',
    'a length before a payload that is cut off',
    'invalid_payload_length',
    () => frameMessage([{ ...FRAME, codec: CODEC.opus, payloadLength: 60_000 }]),
  ),
  {
    id: 'F-10.whole',
    title: 'of a message with a bad second frame the first is not used',
    async check(test) {
      const call = await test.ownCall();
      const { link } = await test.open(call);
      link.openStream(1);
      await link.settle();
      link.sendFrames([FRAME, { ...FRAME, sequence: 1, codec: 9 }]);
      await link.closes([CLOSE.protocolError], { reason: 'unsupported_codec' });
      const { link: next } = await test.open(call);
      next.openStream(1);
      // Were frame 0 used, sequence 1 would be expected, and 0 a duplicate.
      next.sendFrames([{ ...FRAME, sequence: 0 }]);
      await next.received(1, 1);
      next.requireLost(1, 0);
    },
  },
  {
    id: 'F-1.exact',
    title: 'a message of exactly 65 536 bytes is taken',
    async check(test) {
      const { link } = await test.open();
      link.wire.send(bigMessage(LIMITS.maxMessageBytes));
      await link.settle();
    },
  },
  {
    id: 'F-1.over',
    title: 'a message of 65 537 bytes: close 4413 too_large',
    async check(test) {
      const { link } = await test.open();
      link.wire.send(new Uint8Array(LIMITS.maxMessageBytes + 1).fill(1));
      await link.closes([CLOSE.tooLarge], { reason: 'too_large' });
    },
  },
  {
    id: 'F-1.far',
    title: 'a message of 1 MiB: close 4413 or 1009',
    async check(test) {
      const { link } = await test.open();
      link.wire.send(new Uint8Array(1_048_576).fill(1));
      await link.closes([CLOSE.tooLarge, CLOSED_BY_SOCKET_LAYER]);
    },
  },
  {
    id: 'F-5.most',
    title: 'a message of 1024 frames is taken',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1);
      // All but one are strays, so that no credit is needed for them.
      const strays = silentFrames(2, 0, LIMITS.maxFramesPerMessage - 1);
      link.sendFrames([...strays, FRAME]);
      await link.received(1, 1);
    },
  },
  {
    id: 'F-11',
    title: 'unknown flag bits are ignored',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1);
      link.sendFrames([{ ...FRAME, flags: UNNAMED_FLAGS }]);
      await link.received(1, 1);
    },
  },
  {
    id: 'F-11.known',
    title: 'frames with each of the known flags are taken',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1);
      link.sendFrames(
        [FLAG.silence, FLAG.replayed, FLAG.discontinuity].map((flags, sequence) => ({
          ...OPUS,
          flags,
          sequence,
        })),
      );
      await link.received(1, 3);
    },
  },
  {
    id: 'F-12.codec',
    title: "a frame of another codec than its stream's costs that frame only",
    async check(test) {
      const { link } = await test.open();
      link.openStream(1);
      link.sendFrames([{ ...FRAME, codec: CODEC.pcm16, payload: PCM_SILENCE }]);
      link.sendFrames([{ ...OPUS, sequence: 1 }]);
      await link.received(1, 2);
    },
  },
  {
    id: 'F-12.garbage',
    title: 'audio that does not decode costs that frame only',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1);
      link.sendFrames([{ ...OPUS, payload: Uint8Array.of(0xff, 0xff, 0xff, 0xff) }]);
      link.sendFrames([{ ...OPUS, sequence: 1 }]);
      await link.received(1, 2);
    },
  },
  {
    id: 'F-13',
    title: 'a message of 0 frames means nothing',
    async check(test) {
      const { link } = await test.open();
      link.wire.send(frameMessage([]));
      await link.settle();
    },
  },
  {
    id: 'F-8.pcm16',
    title: 'frames of PCM16 are taken',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1, { codec: 'pcm16' });
      link.sendFrames([{ ...FRAME, codec: CODEC.pcm16, payload: PCM_SILENCE }]);
      await link.received(1, 1);
    },
  },
  {
    id: 'F-8.opus',
    title: 'frames of Opus are taken, and silence among them',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1);
      link.sendFrames([OPUS, { ...FRAME, sequence: 1 }, { ...OPUS, sequence: 2 }]);
      await link.received(1, 3);
    },
  },
  {
    id: 'M-4',
    title: 'frames of a stream that is not open are dropped: the link goes on',
    async check(test) {
      const { link } = await test.open();
      link.sendFrames(silentFrames(1, 0, 5));
      await link.settle();
      link.openStream(1);
      link.sendFrames(silentFrames(1, 0, 2));
      await link.received(1, 2);
    },
  },
  {
    id: 'M-4.closed',
    title: 'frames after streamClose are dropped: the link goes on',
    async check(test) {
      const { link } = await test.open();
      link.openStream(1);
      link.closeStream(1, 0);
      link.sendFrames(silentFrames(1, 0, 5));
      await link.settle();
    },
  },
];

function refused(
  id: string,
  what: string,
  reason: string,
  bytesOf: () => Uint8Array,
  { code = CLOSE.protocolError }: { readonly code?: number } = {},
): WorkerRule {
  return {
    id,
    title: `${what}: close ${code} ${reason}`,
    async check(test) {
      const { link } = await test.open();
      link.openStream(1);
      link.wire.send(bytesOf());
      await link.closes([code], { reason });
    },
  };
}

function badLength(id: string, what: string, codec: number, bytes: number): WorkerRule {
  return refused(id, what, 'invalid_payload_length', () =>
    frameMessage([{ ...FRAME, codec, payload: new Uint8Array(bytes).fill(0xb8) }]),
  );
}

/** Frames of a stream that is not open, of exactly so many bytes. */
function bigMessage(bytes: number): Uint8Array {
  const frames: FrameParts[] = [];
  let left = bytes - 4;
  for (let sequence = 0; left > 0; sequence += 1) {
    const length = Math.min(1000, left - 18);
    // No rest may be smaller than a frame's header and one byte.
    const payload = new Uint8Array(left - 18 - length < 19 && left - 18 > length ? 900 : length);
    frames.push({ streamId: 9, codec: CODEC.opus, sequence, payload });
    left -= 18 + payload.length;
  }
  return frameMessage(frames);
}
