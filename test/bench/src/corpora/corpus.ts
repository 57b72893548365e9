/** Packets of one stream in order, as JavaScript and as C like to have them. */
export interface Corpus {
  readonly packets: readonly Uint8Array[];
  /** All packets one after another. */
  readonly bytes: Uint8Array;
  /** Packet `i` is `bytes[offsets[i], offsets[i + 1])`. */
  readonly offsets: Uint32Array;
}

/** Copies the packets into one memory, which other threads may read. */
export function createCorpus(packets: readonly Uint8Array[]): Corpus {
  const offsets = new Uint32Array(packets.length + 1);
  for (const [i, packet] of packets.entries()) offsets[i + 1] = offsets[i]! + packet.length;
  const bytes = new Uint8Array(offsets.at(-1)!);
  for (const [i, packet] of packets.entries()) bytes.set(packet, offsets[i]);
  return corpusOf(bytes, offsets);
}

/** A corpus over memory that is there already. */
export function corpusOf(bytes: Uint8Array, offsets: Uint32Array): Corpus {
  const packets = Array.from({ length: offsets.length - 1 }, (_, i) =>
    bytes.subarray(offsets[i], offsets[i + 1]),
  );
  return { packets, bytes, offsets };
}
