import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import type { WavBytes } from '@earshot/wav';
import { inMemory } from '@earshot/wav';

/** Read ahead: a file is read in pieces of so much, whatever its length. */
const PIECE_BYTES = 256 * 1024;

/** Names standard input. */
const STANDARD_INPUT = '-';

/** The bytes of something that was opened. */
export interface OpenBytes extends WavBytes {
  /** All of them, in memory. */
  whole(): Uint8Array;
  close(): void;
}

/**
 * Opens a file, to be read piece by piece. What cannot be read so, such as a pipe, is read to its end
 * first; `-` is standard input.
 *
 * @throws (rejects) what the file system throws.
 */
export async function openBytes(path: string): Promise<OpenBytes> {
  if (path === STANDARD_INPUT) return memoryBytes(await buffer(process.stdin));
  const file = openSync(path, 'r');
  let isKept = false;
  try {
    const stats = fstatSync(file);
    if (stats.isDirectory()) throw new Error('a directory');
    if (!stats.isFile()) return memoryBytes(readFileSync(file));
    isKept = true;
    return new FileBytes(file, stats.size);
  } finally {
    if (!isKept) closeSync(file);
  }
}

function memoryBytes(bytes: Uint8Array): OpenBytes {
  return { ...inMemory(bytes), whole: () => bytes, close() {} };
}

/** The bytes of a file on disk, of which one piece at a time is in memory. */
class FileBytes implements OpenBytes {
  readonly byteLength: number;
  readonly #file: number;
  #piece: Buffer = Buffer.alloc(PIECE_BYTES);
  #start = 0;
  #length = 0;

  /** @param file a descriptor, which it closes. */
  constructor(file: number, byteLength: number) {
    this.#file = file;
    this.byteLength = byteLength;
  }

  view(at: number, length: number): DataView {
    if (at < this.#start || at + length > this.#start + this.#length) this.#read(at, length);
    const { buffer: bytes, byteOffset } = this.#piece;
    return new DataView(bytes, byteOffset + at - this.#start, length);
  }

  whole(): Uint8Array {
    return readFileSync(this.#file);
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
