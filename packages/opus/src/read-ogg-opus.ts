import { readFile } from 'node:fs/promises';
import { CodedError } from '@earshot/async';
import { fileKind, OGG_OPUS } from './file-kind.js';
import { listOggPages } from './ogg-pages.js';
import type { OpusHead } from './opus-head.js';
import { parseOpusHead } from './opus-head.js';
import { opusPacketDurationMs } from './opus-packet.js';

const FIRST_PACKET_OFFSET = 28;

/** An Ogg Opus file, demultiplexed. */
export interface OggOpus extends OpusHead {
  /** In file order, unchanged; each is its own copy. Pre-skip is still in them. */
  readonly packets: Uint8Array[];
  /** For each packet how long it sounds; 0 for one that is not an Opus packet. */
  readonly packetDurationMs: number[];
  /** Bytes after the last whole page: a file that was cut off, or trailing data. */
  readonly ignoredBytes: number;
}

/**
 * Reads the first Opus stream of an Ogg file (RFC 7845), given as bytes or path. Later chained
 * streams are left out.
 *
 * @throws CodedError `not_ogg_opus` when it is anything else, `audio_file_unreadable` when the path
 * can't be read.
 */
export async function readOggOpus(source: Uint8Array | string): Promise<OggOpus> {
  const name = typeof source === 'string' ? source : `${source.length} bytes`;
  const bytes = typeof source === 'string' ? await readAudioFile(source) : source;
  const kind = fileKind(bytes);
  if (kind !== OGG_OPUS) throw notOggOpus(name, kind);
  const pages = listOggPages(bytes);
  const head = parseOpusHead(bytes.subarray(FIRST_PACKET_OFFSET, pages[0]?.end ?? 0));
  if (head === undefined) throw notOggOpus(name, 'a damaged or too new OpusHead');
  const wholePages = bytes.subarray(0, pages.at(-1)?.end);
  // The demuxer stops for good at a packet that spans two pages, such as tags with a picture.
  const spans = pages.some((page) => page.endsInsidePacket);
  const packets = spans ? await demuxSpanning(wholePages) : await demux(wholePages);
  return {
    ...head,
    packets,
    packetDurationMs: packets.map(opusPacketDurationMs),
    ignoredBytes: bytes.length - wholePages.length,
  };
}

/** @throws CodedError `audio_file_unreadable` */
export async function readAudioFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CodedError(
      'audio_file_unreadable',
      `Cannot read ${path}: it must be a readable file, got ${reason}`,
      { cause },
    );
  }
}

function notOggOpus(name: string, found: string): CodedError {
  return new CodedError(
    'not_ogg_opus',
    `Cannot read ${name} as Ogg Opus: it must start with an Ogg page holding OpusHead, got ${found}`,
  );
}

// Decode threads load this package too and read no file: the libraries wait until they are needed.
async function demux(bytes: Uint8Array): Promise<Uint8Array[]> {
  const { default: prism } = await import('prism-media');
  const demuxer = new prism.opus.OggDemuxer();
  demuxer.end(bytes);
  const packets: Uint8Array[] = [];
  for await (const packet of demuxer) packets.push(Uint8Array.from(packet));
  return packets;
}

async function demuxSpanning(bytes: Uint8Array): Promise<Uint8Array[]> {
  const { BufferSource, EncodedPacketSink, Input, OGG } = await import('mediabunny');
  const input = new Input({ formats: [OGG], source: new BufferSource(bytes) });
  const track = await input.getPrimaryAudioTrack();
  if (track === null) return [];
  const packets: Uint8Array[] = [];
  for await (const packet of new EncodedPacketSink(track).packets())
    packets.push(packet.data.slice());
  return packets;
}
