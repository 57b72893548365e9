import type { FrameParts } from '../src/frame-bytes.js';

const PCM16 = 2;
const REPLAYED = 2;

interface Kept {
  readonly sequence: number;
  readonly ticks: bigint;
  readonly flags: number;
  wasSent: boolean;
}

/** Slots that were given up. */
export interface Discarded {
  readonly firstSequence: number;
  readonly frames: number;
  readonly reason: string;
}

/** How a frame is put on the wire. */
export interface SendManner {
  readonly flagsReplays: boolean;
  readonly otherAudio: boolean;
  readonly pcmBytes: number;
  readonly swapsTicks: boolean;
}

/** A source of a small host: its frames past the durable position, bounded. */
export class SmallStream {
  readonly streamId: number;
  durable = 0;
  isOpened = false;
  readonly #capacity: number;
  #kept: Kept[] = [];
  #sequence = 0;
  /** Index in `#kept` of the next frame to send. */
  #sent = 0;
  #start = 0;
  /** Sequences on their way, also of frames that the ring dropped meanwhile. */
  #flight: number[] = [];
  #lost: Discarded[] = [];
  /** One past the last that was ever sent. */
  #sentEnd = 0;
  isClosed = false;
  /** Closed on this link, or at its end. */
  isOver = false;

  constructor(streamId: number, capacity: number) {
    this.streamId = streamId;
    this.#capacity = capacity;
  }

  /** The first sequence of the present link. */
  get next(): number {
    return this.#start;
  }

  get hasUnsent(): boolean {
    return this.#sent < this.#kept.length;
  }

  /** One past the last slot. */
  get end(): number {
    return this.#sequence;
  }

  /** When the next frame to send was captured. */
  get nextTicks(): bigint {
    return this.#kept[this.#sent]!.ticks;
  }

  get inFlight(): number {
    return this.#flight.length;
  }

  push(ticks: bigint, flags: number): void {
    this.#kept.push({ sequence: this.#sequence, ticks, flags, wasSent: false });
    this.#sequence += 1;
    if (this.#kept.length <= this.#capacity) return;
    const dropped = this.#kept.shift()!;
    if (this.#sent > 0) this.#sent -= 1;
    else {
      const reason = dropped.wasSent ? 'window' : 'overflow';
      this.#discard(dropped.sequence, dropped.sequence + 1, reason);
    }
  }

  /** Slots that the source lost. */
  jump(slots: number): void {
    this.#sequence += slots;
  }

  acknowledge(received: number, durable: number): void {
    this.#flight = this.#flight.filter((sequence) => sequence >= received);
    this.durable = durable;
    while (this.#sent > 0 && this.#kept[0]!.sequence < durable) {
      this.#kept.shift();
      this.#sent -= 1;
    }
  }

  restart(start: number): void {
    this.#start = start;
    this.#flight = [];
    this.#lost = [];
    this.isOver = false;
    const index = this.#kept.findIndex(({ sequence }) => sequence >= start);
    this.#sent = index === -1 ? this.#kept.length : index;
    this.isOpened = false;
    const oldest = this.#kept[0]?.sequence ?? this.#sequence;
    this.#discard(start, Math.min(oldest, this.#sentEnd), 'window');
    this.#discard(Math.max(start, this.#sentEnd), oldest, 'overflow');
  }

  /** What was sent on an earlier link is not sent again. */
  skipSent(): void {
    const index = this.#kept.findIndex(({ wasSent }) => !wasSent);
    this.#sent = index === -1 ? this.#kept.length : index;
  }

  startAnew(): void {
    this.#kept = [];
    this.#sent = 0;
    this.#sequence = 0;
    this.#start = 0;
  }

  takeLost(): readonly Discarded[] {
    const lost = this.#lost;
    this.#lost = [];
    return lost;
  }

  takeNext({ flagsReplays, otherAudio, pcmBytes, swapsTicks }: SendManner): FrameParts {
    const frame = this.#kept[this.#sent]!;
    this.#sent += 1;
    const { streamId } = this;
    const { sequence, ticks, wasSent } = frame;
    frame.wasSent = true;
    this.#sentEnd = Math.max(this.#sentEnd, sequence + 1);
    this.#flight.push(sequence);
    const payload = new Uint8Array(pcmBytes).fill(otherAudio && wasSent ? 7 : sequence % 250);
    const flags = frame.flags | (wasSent && flagsReplays ? REPLAYED : 0);
    const captureTicks = swapsTicks ? ((ticks & 0xffff_ffffn) << 32n) | (ticks >> 32n) : ticks;
    return { streamId, codec: PCM16, flags, sequence, captureTicks, payload };
  }

  #discard(from: number, to: number, reason: string): void {
    if (to <= from) return;
    const last = this.#lost.at(-1);
    const isNext = last?.reason === reason && last.firstSequence + last.frames === from;
    if (isNext) this.#lost.pop();
    const firstSequence = isNext ? last.firstSequence : from;
    this.#lost.push({ firstSequence, frames: to - firstSequence, reason });
  }
}
