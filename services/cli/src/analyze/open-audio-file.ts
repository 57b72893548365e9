import { CodedError } from '@earshot/async';
import { fileKind, listOggOpus } from '@earshot/opus';
import type { OpenBytes } from './file-bytes.js';
import { openBytes } from './file-bytes.js';
import type { AudioFile } from './frame-source.js';
import { HOW_TO_CONVERT, invalidAudioFile, readable, unreadable } from './frame-source.js';
import type { OpusDecoders } from './opus-frames.js';
import { OpusFile } from './opus-frames.js';
import { WavFile } from './wav-frames.js';

/** Enough of a file to say what it is. */
const HEAD_BYTES = 64;

/** What `fileKind` says of nothing. */
const EMPTY = 'an empty file';

/** Packets of 2.5 ms in four days: a bound for a list that is held in memory. */
const MAX_PACKETS = 138_240_000;

/**
 * Opens a WAV or Ogg Opus file; `-` is standard input.
 *
 * @throws CodedError (rejects) `audio_file_unreadable`, `unsupported_audio_file` when it is of
 * another kind, `invalid_audio_file` when it is of the kind and can't be read as such.
 */
export async function openAudioFile(path: string, decoders: OpusDecoders): Promise<AudioFile> {
  const bytes = await openBytes(path).catch((cause) => {
    throw unreadable(path, cause);
  });
  try {
    const kind = readable(path, () => kindOf(bytes));
    if (kind === 'a WAV file') return new WavFile(path, bytes);
    if (!kind.startsWith('Ogg')) throw unsupported(path, kind);
    const whole = readable(path, () => bytes.whole());
    const file = openOgg(path, whole, decoders);
    bytes.close();
    return file;
  } catch (error) {
    bytes.close();
    throw error;
  }
}

function kindOf(bytes: OpenBytes): string {
  const head = bytes.view(0, Math.min(HEAD_BYTES, bytes.byteLength));
  return fileKind(new Uint8Array(head.buffer, head.byteOffset, head.byteLength));
}

function openOgg(path: string, bytes: Uint8Array, decoders: OpusDecoders): AudioFile {
  const file = listed(path, bytes);
  if (file.mappingFamily !== 0) {
    throw invalidAudioFile(path, 'it must have 1 or 2 channels', file.channels);
  }
  if (file.packets.length === 0) throw invalidAudioFile(path, 'it must have sound', 'none');
  return new OpusFile(file, decoders);
}

function listed(path: string, bytes: Uint8Array): ReturnType<typeof listOggOpus> {
  try {
    return listOggOpus(bytes, MAX_PACKETS);
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'not_ogg_opus') throw error;
    throw unsupported(path, fileKind(bytes));
  }
}

function unsupported(path: string, found: string): CodedError {
  return new CodedError(
    'unsupported_audio_file',
    `Cannot analyse ${path}: it must be WAV or Ogg Opus, got ${found}`,
    found === EMPTY ? {} : { fix: HOW_TO_CONVERT },
  );
}
