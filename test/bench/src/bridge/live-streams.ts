import { performance } from 'node:perf_hooks';
import type { MediaLinkClient } from '@earshot/bridge';
import { CODEC, FrameBatchWriter, LIMITS } from '@earshot/bridge-protocol';
import { makePayload } from './frame-messages.js';
import { connectHost } from './media-host.js';
import { stampNow } from './stamp.js';

const FRAME_MS = 20;

interface LiveLink {
  readonly client: MediaLinkClient;
  readonly streams: number;
  dueMs: number;
  sequence: number;
}

/** Streams in real time, as the sandbox's host sends them: one message a link every 20 ms. */
export class LiveStreams {
  readonly #links: LiveLink[] = [];
  readonly #writer = new FrameBatchWriter();
  readonly #payload = makePayload();
  readonly #stamp = { high: 0, low: 0 };
  #timer: NodeJS.Timeout | undefined;
  #frames = 0;
  #refused = 0;

  get links(): number {
    return this.#links.length;
  }

  async open(port: number, streams: number): Promise<void> {
    const links = Math.ceil(streams / LIMITS.maxStreams);
    let left = streams;
    for (let i = 0; i < links; i += 1) {
      const client = await connectHost(port, 'timed', `c_${i}`);
      const own = Math.ceil(left / (links - i));
      left -= own;
      // Calls begin when they will: links are spread over the 20 ms.
      const dueMs = performance.now() + FRAME_MS + (i * FRAME_MS) / links;
      this.#links.push({ client, streams: own, dueMs, sequence: 0 });
    }
    this.#tick();
  }

  async close(): Promise<{ frames: number; refused: number }> {
    clearTimeout(this.#timer);
    await Promise.all(this.#links.map(({ client }) => client.close()));
    this.#links.length = 0;
    return { frames: this.#frames, refused: this.#refused };
  }

  /** Timers are good to a millisecond, as those of real hosts. */
  #tick(): void {
    const nowMs = performance.now();
    for (const link of this.#links) if (link.dueMs <= nowMs) this.#send(link);
    this.#timer = setTimeout(() => this.#tick(), 1);
  }

  #send(link: LiveLink): void {
    const writer = this.#writer;
    const { high, low } = stampNow(this.#stamp);
    writer.reset();
    for (let streamId = 1; streamId <= link.streams; streamId += 1) {
      writer.append(streamId, CODEC.opus, 0, link.sequence, high, low, this.#payload);
    }
    if (link.client.sendFrames(writer.finish())) this.#frames += link.streams;
    else this.#refused += link.streams;
    link.sequence += 1;
    link.dueMs += FRAME_MS;
  }
}
