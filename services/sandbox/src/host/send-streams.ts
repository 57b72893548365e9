import type { Cancel, Clock } from '@earshot/async';
import type { WayBackHandlers } from '@earshot/bridge';
import type {
  FrameCursor,
  HostSendMessage,
  SendCapability,
  SendOpenMessage,
  WorkerSendMessage,
} from '@earshot/bridge-protocol';
import type { DecoderPool } from '@earshot/opus';
import type { HeardAudio } from './heard-audio.js';
import { Mixer } from './mixer.js';
import { MEETING_FRAME_SAMPLES, SendDecoder } from './send-decoder.js';
import type { SendEnd, SendFault, SendStreamState } from './send-stream.js';
import { SendStream } from './send-stream.js';

/** W-26. */
const KEEP_MS = 30_000;
/** W-18 allows 500. */
const PROGRESS_MS = 200;
/** Streams that are over, for people and tests; the oldest are forgotten. */
const MAX_PAST = 64;

/** The media link that speaks of send streams now. */
export interface SendLink {
  send(message: HostSendMessage): void;
  /** Closes the link for a mistake of the worker: 4400 and the code. */
  fail(code: SendFault | 'stream_already_open'): void;
}

export interface SendStreamsOptions {
  readonly capability: SendCapability;
  readonly clock: Clock;
  /** Decoders for 16-kHz mono; `maxKept` of `capability` for each call. */
  readonly decoders: DecoderPool;
  readonly heard: HeardAudio;
  /** The Teams leg is up: there is a meeting to hear it. */
  isActive(): boolean;
  /** The media clock in ticks: now, or at a media time. */
  clockTicks(mediaMs?: number): string;
}

interface Kept {
  readonly stream: SendStream;
  /** Number of the last link that had it open. */
  link: number;
  cancelForget: Cancel | undefined;
}

/** Most send streams known of one call: open, or kept for another link. The oldest kept make room. */
export function maxKept({ maxStreams }: SendCapability): number {
  return 2 * maxStreams;
}

/** The audio from workers into one meeting, over all links of the call (§8). */
export class SendStreams implements WayBackHandlers {
  readonly #options: SendStreamsOptions;
  readonly #mixer = new Mixer();
  readonly #pcm = new Int16Array(MEETING_FRAME_SAMPLES);
  /** By `sendId`, the oldest first. */
  readonly #kept = new Map<string, Kept>();
  /** Open on the present link. */
  readonly #open = new Map<number, SendStream>();
  readonly #past: SendStreamState[] = [];
  #link: SendLink | undefined;
  #linkCount = 0;
  #tickMs: number | undefined;
  #cancelProgress: Cancel | undefined;
  #strayFrames = 0;

  constructor(options: SendStreamsOptions) {
    this.#options = options;
  }

  /** Frames of streams that were not open. */
  get strayFrames(): number {
    return this.#strayFrames;
  }

  /** Those that are over, then those open or kept. */
  states(): SendStreamState[] {
    return [...this.#past, ...Array.from(this.#kept.values(), ({ stream }) => stream.state)];
  }

  /** @param link undefined where the way back was not agreed. */
  linkOpened(link: SendLink | undefined): void {
    this.linkLost();
    this.#link = link;
    this.#linkCount += 1;
  }

  /** What is buffered is played on; the streams are kept for another link (W-26, W-29). */
  linkLost(): void {
    if (this.#link === undefined) return;
    this.#link = undefined;
    this.#cancelProgress?.();
    this.#cancelProgress = undefined;
    for (const stream of this.#open.values()) stream.unlink();
    this.#open.clear();
    for (const kept of this.#kept.values()) if (kept.link === this.#linkCount) this.#keep(kept);
  }

  /** The call is over, or left for good: so are all streams (W-29, W-30). */
  endAll(): void {
    this.#cancelProgress?.();
    for (const [sendId, { stream }] of this.#kept) {
      stream.end('media_ended');
      this.#forget(sendId);
    }
    this.#open.clear();
  }

  frames(cursor: FrameCursor): void {
    while (cursor.next()) {
      const stream = this.#open.get(cursor.streamId);
      if (stream === undefined) this.#strayFrames += 1;
      else if (this.#failed(stream.frame(cursor))) return;
    }
    this.#tell();
  }

  message(message: WorkerSendMessage): void {
    if (message.type === 'sendOpen') {
      this.#sendOpen(message);
      return;
    }
    const stream = this.#open.get(message.streamId);
    if (stream === undefined) return;
    switch (message.type) {
      case 'mark':
        if (this.#failed(stream.mark(message.name, message.sequence))) return;
        break;
      case 'clear':
        stream.clear();
        this.#tellNow();
        break;
      case 'sendClose':
        stream.closeAt(message.nextSequence);
        break;
    }
    this.#endOver();
    this.#tell();
  }

  /** 20 ms of the media clock begin at `mediaMs`. */
  tick(mediaMs: number): void {
    this.#tickMs = mediaMs;
    for (const { stream } of this.#kept.values()) {
      if (!stream.isEnded && stream.tick(this.#pcm)) this.#mixer.add(this.#pcm);
    }
    const heard = this.#mixer.take();
    if (heard !== undefined) this.#options.heard.write(mediaMs, heard);
    this.#endOver();
    this.#tickMs = undefined;
    this.#tell();
  }

  #sendOpen(message: SendOpenMessage): void {
    const { streamId, sendId } = message;
    if (this.#open.has(streamId)) {
      this.#link?.fail('stream_already_open');
      return;
    }
    const refusal = this.#refusalOf(message);
    if (refusal !== undefined) {
      const played = message.firstSequence;
      this.#link?.send({ type: 'sendClosed', streamId, reason: refusal, played });
      return;
    }
    const kept = this.#continued(sendId) ?? this.#add(message);
    kept.cancelForget?.();
    kept.cancelForget = undefined;
    kept.link = this.#linkCount;
    this.#open.set(streamId, kept.stream);
    kept.stream.open(streamId);
    this.#tell();
  }

  #refusalOf({ sendId, codec }: SendOpenMessage): SendEnd | undefined {
    const { capability, isActive } = this.#options;
    if (!isActive()) return 'media_inactive';
    if (this.#open.size >= capability.maxStreams) return 'too_many_streams';
    const kept = this.#kept.get(sendId)?.stream;
    if (!capability.codecs.includes(codec)) return 'unsupported_codec';
    if (this.#continued(sendId) !== undefined && kept?.codec !== codec) return 'unsupported_codec';
    // Open under another number: there is no telling which of the two is meant.
    return kept?.streamId === undefined ? undefined : 'platform_error';
  }

  /** The stream that an earlier link had, also where its `sendClosed` may not have arrived (W-27). */
  #continued(sendId: string): Kept | undefined {
    const kept = this.#kept.get(sendId);
    return kept === undefined || kept.link === this.#linkCount ? undefined : kept;
  }

  #add(open: SendOpenMessage): Kept {
    const { capability, decoders, clockTicks } = this.#options;
    this.#forget(open.sendId);
    if (this.#kept.size >= maxKept(capability)) this.#forgetOldest();
    const stream = new SendStream({
      open,
      bufferFrames: capability.bufferFrames,
      decoder: new SendDecoder(decoders),
      clockTicks: () => clockTicks(this.#tickMs),
      say: (message) => this.#link?.send(message),
    });
    const kept: Kept = { stream, link: this.#linkCount, cancelForget: undefined };
    this.#kept.set(open.sendId, kept);
    return kept;
  }

  #keep(kept: Kept): void {
    const { clock } = this.#options;
    const { sendId } = kept.stream;
    kept.cancelForget?.();
    kept.cancelForget = clock.at(clock.nowMs() + KEEP_MS, () => this.#forget(sendId));
  }

  #forgetOldest(): void {
    for (const [sendId, { stream }] of this.#kept) {
      if (stream.streamId !== undefined) continue;
      this.#forget(sendId);
      return;
    }
  }

  #forget(sendId: string): void {
    const kept = this.#kept.get(sendId);
    if (kept === undefined) return;
    this.#kept.delete(sendId);
    kept.cancelForget?.();
    this.#past.push(kept.stream.state);
    if (this.#past.length > MAX_PAST) this.#past.shift();
    kept.stream.release();
  }

  #failed(fault: SendFault | undefined): boolean {
    if (fault === undefined) return false;
    this.#link?.fail(fault);
    return true;
  }

  #endOver(): void {
    for (const [streamId, stream] of this.#open) {
      stream.endIfOver();
      if (!stream.isEnded) continue;
      this.#open.delete(streamId);
      const kept = this.#kept.get(stream.sendId);
      if (kept !== undefined) this.#keep(kept);
    }
  }

  #tell(): void {
    let hasNews = false;
    for (const stream of this.#open.values()) {
      if (stream.isUrgent) {
        this.#tellNow();
        return;
      }
      hasNews ||= stream.hasNews;
    }
    if (!hasNews || this.#cancelProgress !== undefined) return;
    const { clock } = this.#options;
    this.#cancelProgress = clock.at(clock.nowMs() + PROGRESS_MS, () => this.#tellNow());
  }

  #tellNow(): void {
    this.#cancelProgress?.();
    this.#cancelProgress = undefined;
    if (this.#open.size === 0) return;
    const streams = Array.from(this.#open, ([streamId, stream]) => stream.progress(streamId));
    this.#link?.send({ type: 'sendProgress', streams });
  }
}
