import type { DecoderPool, OpusDecoder } from '@earshot/opus';

/** As a decode thread of the media worker has them. */
export const BATCH_ENTRIES = 32;

export const MAX_PACKET_BYTES = 1275;

/** Decodes packets as a decode thread does: written into the batch, one call for `BATCH_ENTRIES`. */
export function runBatches(
  { batch }: DecoderPool,
  decoder: OpusDecoder,
  packets: readonly Uint8Array[],
): void {
  let entry = 0;
  for (let i = 0; i < packets.length; i += 1) {
    const packet = packets[i]!;
    batch.packets[entry]!.set(packet);
    batch.set(entry, decoder, packet.length);
    entry += 1;
    if (entry < BATCH_ENTRIES) continue;
    batch.run(entry);
    entry = 0;
  }
  batch.run(entry);
}
