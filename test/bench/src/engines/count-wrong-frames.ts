import type { DecoderPool, OpusDecoder, OpusEngine, OpusSampleRateHz } from '@earshot/opus';
import type { Control, ControlDecoder } from '../control/control.js';
import type { Corpora } from '../corpora/make-corpora.js';
import { SeededRandom } from '../seeded-random.js';

const FRAMES = 20_000;
/** Decoders of a kind; 500 in all. */
const KINDS = [
  { sampleRateHz: 16_000, channels: 1, count: 300 },
  { sampleRateHz: 48_000, channels: 1, count: 100 },
  { sampleRateHz: 48_000, channels: 2, count: 100 },
] as const;
/** One in so many frames, a decoder is given back and another one taken. */
const CHURN = 40;
const SEED = 20_261_126;
/** SILK is exact in all versions of libopus; CELT differs by so much between them. */
const CELT_TOLERANCE = 2;
const FIRST_CELT_CONFIGURATION = 12;

interface Kind {
  readonly sampleRateHz: OpusSampleRateHz;
  readonly channels: 1 | 2;
  readonly pool: DecoderPool;
  readonly ours: Int16Array;
  readonly theirs: Int16Array;
}

interface Slot {
  readonly kind: Kind;
  readonly reference: ControlDecoder;
  decoder: OpusDecoder;
  packets: readonly Uint8Array[];
  next: number;
}

/**
 * Decodes frames of all modes by many decoders at once, with decoders coming and going, beside the
 * system's libopus; returns how many frames are not the same.
 */
export function countWrongFrames(engine: OpusEngine, control: Control, corpora: Corpora): number {
  const random = new SeededRandom(SEED);
  const sources = [corpora.silk, corpora.hybrid, corpora.celt];
  const restart = (slot: Slot): void => {
    slot.packets = sources[random.below(sources.length)]!.packets;
    slot.next = random.below(slot.packets.length);
  };
  const slots = KINDS.flatMap((kind) => createSlots(engine, control, kind));
  for (const slot of slots) restart(slot);
  let wrong = 0;
  for (let frame = 0; frame < FRAMES; frame += 1) {
    const slot = slots[random.below(slots.length)]!;
    if (random.below(CHURN) === 0) {
      renew(slot, control);
      restart(slot);
    }
    if (!isSame(slot, control)) wrong += 1;
  }
  for (const { decoder } of slots) decoder.release();
  return wrong;
}

function createSlots(
  engine: OpusEngine,
  control: Control,
  { sampleRateHz, channels, count }: (typeof KINDS)[number],
): Slot[] {
  const samples = (sampleRateHz / 50) * channels;
  const kind: Kind = {
    sampleRateHz,
    channels,
    pool: engine.createDecoderPool({ sampleRateHz, channels, capacity: count }),
    ours: new Int16Array(samples),
    theirs: new Int16Array(samples),
  };
  return Array.from({ length: count }, () => ({
    kind,
    reference: control.createDecoder(sampleRateHz, channels),
    decoder: kind.pool.acquire(),
    packets: [],
    next: 0,
  }));
}

function renew(slot: Slot, control: Control): void {
  slot.decoder.release();
  slot.decoder = slot.kind.pool.acquire();
  control.resetDecoder(slot.reference);
}

function isSame(slot: Slot, control: Control): boolean {
  const { kind, decoder, reference, packets } = slot;
  const { ours, theirs, channels } = kind;
  const packet = packets[slot.next % packets.length]!;
  slot.next += 1;
  const made = decoder.decode(packet, 0, packet.length, ours);
  const wanted = control.decode(reference, packet, theirs, theirs.length / channels);
  if (made !== wanted) return false;
  const tolerance = packet[0]! >> 3 < FIRST_CELT_CONFIGURATION ? 0 : CELT_TOLERANCE;
  return ours.every((sample, i) => Math.abs(sample - theirs[i]!) <= tolerance);
}
