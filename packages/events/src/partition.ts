/** Ordered lanes of each subscription. All events of a call go through one of them. */
export const PARTITIONS = 8;

/** The lane of a call: FNV-1a over the UTF-16 units of its id, the same in every process. */
export function partitionOf(callId: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < callId.length; i += 1) {
    hash = Math.imul(hash ^ callId.charCodeAt(i), 0x01000193);
  }
  // The low bits of FNV-1a depend on little: fold the high ones in.
  return ((hash ^ (hash >>> 16)) >>> 0) % PARTITIONS;
}
