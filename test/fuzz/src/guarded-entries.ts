import type { DecodeBatch } from '@earshot/opus';

const GUARD_BYTE = 0xa5;

/**
 * Watches the entries of a batch that nothing may be written to. Every second entry is a guard, with a
 * pattern in its packet and its PCM: what runs over the end or the start of its neighbour hits it.
 */
export class GuardedEntries {
  readonly #packets: readonly Buffer[];
  readonly #pcm: readonly Buffer[];
  readonly #guardPacket: Buffer;
  readonly #guardPcm: Buffer;

  constructor(batch: DecodeBatch) {
    this.#packets = batch.packets.map((packet) => bytesOf(packet));
    this.#pcm = batch.pcm.map((pcm) => bytesOf(pcm));
    this.#guardPacket = Buffer.alloc(this.#packets[0]?.length ?? 0, GUARD_BYTE);
    this.#guardPcm = Buffer.alloc(this.#pcm[0]?.length ?? 0, GUARD_BYTE);
  }

  arm(entry: number): void {
    this.#packets[entry]!.fill(GUARD_BYTE);
    this.#pcm[entry]!.fill(GUARD_BYTE);
  }

  isIntact(entry: number): boolean {
    return (
      this.#packets[entry]!.equals(this.#guardPacket) && this.#pcm[entry]!.equals(this.#guardPcm)
    );
  }
}

function bytesOf(view: Uint8Array | Int16Array): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}
