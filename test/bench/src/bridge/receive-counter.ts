import process from 'node:process';
import type { FrameCursor } from '@earshot/bridge-protocol';
import { HeapGauge } from './heap-gauge.js';
import type { ReceiveWindow } from './messages.js';

/** Counts what is received, and what that costs from `begin` to the last message expected. */
export class ReceiveCounter {
  readonly #heap = new HeapGauge();
  #left = 0;
  #frames = 0;
  #bytes = 0;
  #check = 0;
  #cpu: NodeJS.CpuUsage = { user: 0, system: 0 };
  #window: Promise<ReceiveWindow> | undefined;
  #finish: (() => void) | undefined;

  begin(messages: number, withGc: boolean): void {
    this.#left = messages;
    this.#frames = 0;
    this.#bytes = 0;
    const last = new Promise<number>((resolve) => {
      this.#finish = () => {
        const { user, system } = process.cpuUsage(this.#cpu);
        this.#heap.mark();
        resolve(user + system);
      };
    });
    this.#window = last.then((cpuMicros) => this.#read(cpuMicros));
    this.#heap.begin(withGc);
    this.#cpu = process.cpuUsage();
  }

  /** Resolves when all messages have come. */
  end(): Promise<ReceiveWindow> {
    if (this.#window === undefined) throw new Error('A window must have begun');
    return this.#window;
  }

  /** What a bare receiver does. */
  message(bytes: number): void {
    this.#bytes += bytes;
    this.#left -= 1;
    if (this.#left === 0) this.#finish?.();
  }

  /** What a handler at least does: it reads every field of every frame. */
  frames(cursor: FrameCursor): void {
    let check = this.#check;
    while (cursor.next()) {
      const { streamId, codec, flags, sequence, ticksHigh, ticksLow } = cursor;
      const { bytes, payloadOffset, payloadLength } = cursor;
      check ^= streamId ^ codec ^ flags ^ sequence ^ ticksHigh ^ ticksLow;
      check ^= payloadLength ^ bytes[payloadOffset]!;
    }
    this.#check = check;
    this.#frames += cursor.frameCount;
    this.message(cursor.bytes.length);
  }

  async #read(cpuMicros: number): Promise<ReceiveWindow> {
    // Garbage collections are told by later turns of the event loop.
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
    const memory = this.#heap.read();
    return { frames: this.#frames, bytes: this.#bytes, cpuMicros, memory };
  }
}
