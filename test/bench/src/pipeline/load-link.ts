import { systemClock } from '@earshot/async/system';
import { MediaLinkClient } from '@earshot/bridge';
import { CODEC, FrameBatchWriter, splitTicks } from '@earshot/bridge-protocol';
import type { LoadLink as LinkPlan, SentTicks } from './messages.js';
import { firstSequenceOf } from './messages.js';
import { monotonicMs } from './monotonic.js';

/** Media time 0 is the monotonic clock's 0; any ticks will do. */
const MEDIA_EPOCH_TICKS = 638_000_000_000_000_000n;
const TICKS_PER_MS = 10_000;
const FRAME_MS = 20;
const QUIET = { info() {}, warn() {} };
/** Streams play the track from different places on, or all would press their keys at once. */
const FRAMES_BETWEEN_STREAMS = 37;

/** One media link, as a media host's, whose streams send in real time. */
export class LoadLink {
  readonly #plan: LinkPlan;
  readonly #track: readonly Uint8Array[];
  readonly #client: MediaLinkClient;
  readonly #writer: FrameBatchWriter = new FrameBatchWriter();
  readonly #sentAtMs: number[] = [];
  #startMs = 0;
  #refused = 0;

  constructor(plan: LinkPlan, track: readonly Uint8Array[]) {
    this.#plan = plan;
    this.#track = track;
    this.#client = new MediaLinkClient({
      url: plan.mediaUrl,
      token: plan.token,
      clock: systemClock,
      log: QUIET,
      hello: {
        type: 'hello',
        version: 1,
        callId: plan.callId,
        mediaId: 'm_1',
        epoch: plan.epoch,
        mediaEpochTicks: String(MEDIA_EPOCH_TICKS),
        clockNowTicks: String(ticksAt(monotonicMs())),
        replayWindowMs: 0,
      },
      handlers: { welcome() {}, progress() {}, drain() {}, finished() {}, closed() {} },
    });
  }

  /** Opens the link and its streams; the first frames are due soon after. */
  async connect(): Promise<void> {
    await this.#client.connect();
    const { firstStream, streams, offsetMs } = this.#plan;
    for (let i = 0; i < streams; i += 1) {
      this.#client.send({
        type: 'streamOpen',
        streamId: i + 1,
        kind: 'unmixed',
        sourceId: String(firstStream + i),
        codec: 'opus',
        sampleRateHz: 16_000,
        firstSequence: firstSequenceOf(firstStream + i),
      });
    }
    const ticks = Math.ceil(monotonicMs() / FRAME_MS) + 1;
    this.#startMs = ticks * FRAME_MS + offsetMs;
  }

  /** When the next frames are due. */
  get dueMs(): number {
    return this.#startMs + this.#sentAtMs.length * FRAME_MS;
  }

  /** Sends a frame of each stream in one message. */
  sendFrames(): void {
    const frame = this.#sentAtMs.length;
    const { high, low } = splitTicks(ticksAt(this.dueMs));
    const { firstStream, streams } = this.#plan;
    this.#writer.reset();
    for (let i = 0; i < streams; i += 1) {
      const stream = firstStream + i;
      const packet = this.#track[(frame + stream * FRAMES_BETWEEN_STREAMS) % this.#track.length]!;
      const sequence = firstSequenceOf(stream) + frame;
      this.#writer.append(i + 1, CODEC.opus, 0, sequence, high, low, packet);
    }
    this.#sentAtMs.push(monotonicMs());
    if (!this.#client.sendFrames(this.#writer.finish())) this.#refused += 1;
  }

  sent(): SentTicks {
    const { firstStream, streams } = this.#plan;
    const startMs = this.#startMs;
    return { firstStream, streams, startMs, sentAtMs: this.#sentAtMs, refused: this.#refused };
  }
}

function ticksAt(mediaMs: number): bigint {
  return MEDIA_EPOCH_TICKS + BigInt(Math.round(mediaMs * TICKS_PER_MS));
}
