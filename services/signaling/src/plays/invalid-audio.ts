import { CodedError } from '@earshot/async';

/** What was posted is no audio that can be played. @param rule what it must be. */
export function invalidAudio(rule: string, got: string | number): CodedError {
  return new CodedError('invalid_audio', `Cannot play the audio: ${rule}, got ${got}`, {
    fix: 'Convert it: ffmpeg -i in.mp3 -ac 1 -ar 16000 out.wav, or opusenc --downmix-mono in.wav out.opus',
  });
}
