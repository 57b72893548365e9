import { CodedError } from '@earshot/async';
import type { FrameSlot } from '@earshot/media-session';

/** A sound file as frames of 20 ms, such as a media host sends. */
export interface FrameSource {
  /** What the frames carry; one of `CODEC`. */
  readonly codec: number;
  /** Media time of the first frame; what comes before 0 is an encoder's run-up, and no sound. */
  readonly startMs: number;
  readonly durationMs: number;
  /** Fills payload and length with the next frame; false when there is none. */
  next(slot: FrameSlot): boolean;
  /** Gives back what is held. */
  close(): void;
}

/** What a file holds can't be analysed. @param rule what it must be */
export function invalidAudioFile(path: string, rule: string, got: string | number): CodedError {
  return new CodedError('invalid_audio_file', `Cannot analyse ${path}: ${rule}, got ${got}`, {
    fix: `Convert it: ffmpeg -i ${path} -ac 1 -ar 16000 out.wav`,
  });
}

/** @throws CodedError `audio_file_unreadable` for what the file system throws. */
export function readable<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CodedError(
      'audio_file_unreadable',
      `Cannot analyse ${path}: it must be a readable file, got ${reason}`,
      { cause },
    );
  }
}
