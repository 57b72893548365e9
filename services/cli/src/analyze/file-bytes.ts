import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { WavBytes } from '@earshot/wav';

/** Read ahead: a file is read in pieces of so much, whatever its length. */
const PIECE_BYTES = 256 * 1024;

/** The bytes of a file on disk, of which one piece at a time is in memory. */
export class FileBytes implements WavBytes {
  readonly byteLength: number;
  readonly #file: number;
  #piece: Buffer = Buffer.alloc(PIECE_BYTES);
  #start = 0;
  #length = 0;

  /** @throws what the file system throws. */
  constructor(path: string) {
    this.#file = openSync(path, 'r');
    try {
      const stats = fstatSync(this.#file);
      if (!stats.isFile()) throw new Error('no regular file');
      this.byteLength = stats.size;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  view(at: number, length: number): DataView {
    if (at < this.#start || at + length > this.#start + this.#length) this.#read(at, length);
    const { buffer, byteOffset } = this.#piece;
    return new DataView(buffer, byteOffset + at - this.#start, length);
  }

  /** The first bytes, at most so many: a copy. */
  head(length: number): Uint8Array {
    const { buffer, byteOffset, byteLength } = this.view(0, Math.min(length, this.byteLength));
    return new Uint8Array(buffer, byteOffset, byteLength).slice();
  }

  close(): void {
    closeSync(this.#file);
  }

  #read(at: number, length: number): void {
    if (length > this.#piece.length) this.#piece = Buffer.alloc(length);
    this.#start = at;
    this.#length = 0;
    while (this.#length < length) {
      const rest = this.#piece.length - this.#length;
      const bytes = readSync(this.#file, this.#piece, this.#length, rest, at + this.#length);
      if (bytes === 0) throw new Error('fewer bytes than it had when it was opened');
      this.#length += bytes;
    }
  }
}
