import { PTIME_MS } from '@earshot/audio';
import { CODEC, FLAG, FrameBatchWriter } from '@earshot/bridge-protocol';
import type { HostStream } from './host-stream.js';
import type { MediaTicks } from './media-ticks.js';

/** More than this in the socket, and frames wait in their rings; half of what C-8 allows. */
const MAX_BUFFERED_BYTES = 512 * 1024;

/** The part of a media link that frames go through. */
export interface FrameOutlet {
  readonly bufferedBytes: number;
  /** Copies the bytes at once; false when the link is going down: they go out on the next one. */
  sendFrames(bytes: Uint8Array): boolean;
}

/** What was sent, for the counters. */
export interface FramesSent {
  frames: number;
  replayed: number;
  messages: number;
}

/**
 * Takes frames out of the streams' rings, in the order of their capture, and packs all that is
 * ready into as few messages as possible; allocates nothing per frame.
 */
export class FrameSender {
  readonly #writer = new FrameBatchWriter();
  readonly #sent: FramesSent;

  constructor(sent: FramesSent) {
    this.#sent = sent;
  }

  /**
   * Sends what the credit and the socket allow, the oldest capture first (C-7).
   *
   * @param creditFrames most frames that may be in flight, of each stream.
   */
  send(
    streams: readonly HostStream[],
    ticks: MediaTicks,
    creditFrames: number,
    outlet: FrameOutlet,
  ): void {
    while (hasRoom(outlet)) {
      const untilMs = earliestCaptureMs(streams, creditFrames) + PTIME_MS;
      if (untilMs === Number.POSITIVE_INFINITY) break;
      for (const stream of streams) {
        while (maySend(stream, creditFrames) && stream.ring.nextCaptureMs < untilMs) {
          this.#append(stream, ticks, outlet);
        }
      }
    }
    this.#flush(outlet);
  }

  #append(stream: HostStream, ticks: MediaTicks, outlet: FrameOutlet): void {
    const { ring, participant, streamId } = stream;
    const payload = participant.packets[ring.nextFrame]!;
    const flags = ring.nextFlags | (ring.nextIsReplay ? FLAG.replayed : 0);
    const sequence = ring.nextSequence;
    ticks.set(ring.nextCaptureMs);
    const { high, low } = ticks;
    if (!this.#writer.append(streamId, CODEC.opus, flags, sequence, high, low, payload)) {
      this.#flush(outlet);
      this.#writer.append(streamId, CODEC.opus, flags, sequence, high, low, payload);
    }
    if (ring.nextIsReplay) this.#sent.replayed += 1;
    this.#sent.frames += 1;
    stream.advance();
  }

  #flush(outlet: FrameOutlet): void {
    if (this.#writer.frameCount === 0) return;
    outlet.sendFrames(this.#writer.finish());
    this.#writer.reset();
    this.#sent.messages += 1;
  }
}

/** Whether the socket takes frames (C-8). */
export function hasRoom(outlet: FrameOutlet): boolean {
  return outlet.bufferedBytes < MAX_BUFFERED_BYTES;
}

/** Whether a stream has a frame and the credit for it (C-1). */
export function maySend({ ring, inFlight }: HostStream, creditFrames: number): boolean {
  return ring.isReady && inFlight < creditFrames;
}

function earliestCaptureMs(streams: readonly HostStream[], creditFrames: number): number {
  let earliestMs = Number.POSITIVE_INFINITY;
  for (const stream of streams) {
    if (!maySend(stream, creditFrames)) continue;
    if (stream.ring.nextCaptureMs < earliestMs) earliestMs = stream.ring.nextCaptureMs;
  }
  return earliestMs;
}
