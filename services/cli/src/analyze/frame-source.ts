import { CodedError } from '@earshot/async';
import type { FrameSlot } from '@earshot/media-session';

/** What to do about a file that is of another kind. */
export const HOW_TO_CONVERT = 'Convert it: ffmpeg -i FILE -ar 16000 out.wav';

/** A sound file that was opened. */
export interface AudioFile {
  readonly channels: number;
  readonly durationMs: number;
  /** False when it ends, is damaged or holds something else before all its sound was found. */
  readonly isWhole: boolean;
  /**
   * Its sound, from the beginning; close it before the next one.
   *
   * @param channel from 1; null: all channels, averaged
   */
  frames(channel: number | null): FrameSource;
  /** Gives back what is held. */
  close(): void;
}

/** Sound as frames of 20 ms, such as a media host sends. */
export interface FrameSource {
  /** What the frames carry; one of `CODEC`. */
  readonly codec: number;
  /** Media time of the first frame; what comes before 0 is an encoder's run-up, and no sound. */
  readonly startMs: number;
  /** Fills payload and length with the next frame; false when there is none. */
  next(slot: FrameSlot): boolean;
  /** Gives back what is held. */
  close(): void;
}

/** What a file holds can't be analysed. @param rule what it must be */
export function invalidAudioFile(path: string, rule: string, got: string | number): CodedError {
  return new CodedError('invalid_audio_file', `Cannot analyse ${path}: ${rule}, got ${got}`, {
    fix: HOW_TO_CONVERT,
  });
}

/** @throws CodedError `audio_file_unreadable` for what the file system throws. */
export function readable<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw cause instanceof CodedError ? cause : unreadable(path, cause);
  }
}

/** What the file system throws, in words. */
export function unreadable(path: string, cause: unknown): CodedError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CodedError(
    'audio_file_unreadable',
    `Cannot analyse ${path}: it must be a readable file, got ${reason}`,
    { cause },
  );
}
