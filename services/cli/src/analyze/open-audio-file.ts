import { readFileSync } from 'node:fs';
import { CodedError } from '@earshot/async';
import type { DecoderPool } from '@earshot/opus';
import { fileKind, listOggOpus } from '@earshot/opus';
import { FileBytes } from './file-bytes.js';
import type { FrameSource } from './frame-source.js';
import { invalidAudioFile, readable } from './frame-source.js';
import { opusFrames } from './opus-frames.js';
import { WavFrames } from './wav-frames.js';

/** Enough of a file to say what it is. */
const HEAD_BYTES = 64;

/** Packets of 2.5 ms in four days: a bound for a list that is held in memory. */
const MAX_PACKETS = 138_240_000;

/**
 * Opens a WAV or Ogg Opus file.
 *
 * @throws CodedError `audio_file_unreadable`, `unsupported_audio_file` when it is of another kind,
 * `invalid_audio_file` when it is of the kind and can't be read as such.
 */
export function openAudioFile(path: string, decoders: DecoderPool): FrameSource {
  const bytes = readable(path, () => new FileBytes(path));
  try {
    const head = readable(path, () => bytes.head(HEAD_BYTES));
    const kind = fileKind(head);
    if (kind === 'a WAV file') return new WavFrames(path, bytes);
    if (!kind.startsWith('Ogg')) throw unsupported(path, kind);
  } catch (error) {
    bytes.close();
    throw error;
  }
  bytes.close();
  return openOgg(path, decoders);
}

function openOgg(path: string, decoders: DecoderPool): FrameSource {
  const bytes = readable(path, () => readFileSync(path));
  const file = listed(path, bytes);
  if (file.mappingFamily !== 0) {
    throw invalidAudioFile(path, 'it must have 1 or 2 channels', file.channels);
  }
  if (file.packets.length === 0) throw invalidAudioFile(path, 'it must have sound', 'none');
  return opusFrames(file, decoders);
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
    { fix: `Convert it: ffmpeg -i ${path} -ac 1 -ar 16000 out.wav` },
  );
}
