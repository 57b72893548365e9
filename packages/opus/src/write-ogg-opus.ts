import { CodedError } from '@earshot/async';
import { setSerialNumber } from './ogg-pages.js';
import { writeOpusHead } from './opus-head.js';
import { opusPacketDurationMs } from './opus-packet.js';

const MAX_SEGMENTS = 255;
const MAX_PAGE_MS = 1000;
/** After so many, 5 ms of work, others get their turn on the thread. */
const PACKETS_PER_TURN = 500;

export interface WriteOggOpusOptions {
  /** In playing order; 2.5 to 120 ms each. Borrowed for the call. */
  readonly packets: readonly Uint8Array[];
  readonly channels?: 1 | 2;
  /**
   * Samples at 48 kHz that a player drops from the start: the encoder's look-ahead, scaled to
   * 48 kHz. 312 by default, which is what libopus needs for voice.
   */
  readonly preSkip?: number;
  readonly inputSampleRateHz?: number;
  /** Identifies the stream in the file; the same packets and number give the same bytes. */
  readonly serialNumber?: number;
}

/**
 * Writes one Ogg Opus file (RFC 7845): pages of at most one second, no packet across two pages.
 *
 * @throws CodedError `invalid_opus_packet` when one of the packets is not an Opus packet or there
 * are none.
 */
export async function writeOggOpus(options: WriteOggOpusOptions): Promise<Uint8Array> {
  const { packets, channels = 1, preSkip = 312, inputSampleRateHz = 16_000 } = options;
  const durationsMs = packets.map(opusPacketDurationMs);
  checkDurations(durationsMs);
  // 0.1 s to load: not for decode threads, which load this package too.
  const { BufferTarget, EncodedAudioPacketSource, EncodedPacket, OggOutputFormat, Output } =
    await import('mediabunny');
  const target = new BufferTarget();
  const format = new OggOutputFormat({ maximumPageDuration: pageMs(packets, durationsMs) / 1000 });
  const output = new Output({ format, target });
  const track = new EncodedAudioPacketSource('opus');
  output.addAudioTrack(track);
  await output.start();
  const metadata = {
    decoderConfig: {
      codec: 'opus',
      sampleRate: 48_000,
      numberOfChannels: channels,
      description: writeOpusHead({ channels, preSkip, inputSampleRateHz }),
    },
  };
  let startMs = 0;
  for (const [index, packet] of packets.entries()) {
    const durationMs = durationsMs[index]!;
    await track.add(new EncodedPacket(packet, 'key', startMs / 1000, durationMs / 1000), metadata);
    startMs += durationMs;
    if (index % PACKETS_PER_TURN === PACKETS_PER_TURN - 1) await new Promise(setImmediate);
  }
  await output.finalize();
  const file = new Uint8Array(target.buffer ?? new ArrayBuffer(0));
  setSerialNumber(file, options.serialNumber ?? 1);
  return file;
}

function checkDurations(durationsMs: readonly number[]): void {
  const bad = durationsMs.indexOf(0);
  if (durationsMs.length > 0 && bad === -1) return;
  const actual = bad === -1 ? 'no packets' : `something else as packet ${bad}`;
  throw new CodedError(
    'invalid_opus_packet',
    `Cannot write an Ogg Opus file: it takes Opus packets, got ${actual}`,
  );
}

// A page has at most 255 segments of at most 255 bytes, and a packet across pages is hard to read.
function pageMs(packets: readonly Uint8Array[], durationsMs: readonly number[]): number {
  let segmentsPerPacket = 1;
  let shortestMs = MAX_PAGE_MS;
  for (const [index, packet] of packets.entries()) {
    segmentsPerPacket = Math.max(segmentsPerPacket, Math.floor(packet.length / 255) + 1);
    shortestMs = Math.min(shortestMs, durationsMs[index]!);
  }
  const packetsPerPage = Math.max(1, Math.floor((MAX_SEGMENTS - 1) / segmentsPerPacket));
  return Math.min(MAX_PAGE_MS, packetsPerPage * shortestMs);
}
