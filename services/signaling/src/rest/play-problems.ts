import { AUDIO_TYPES, MAX_BODY_BYTES } from '../plays/posted-audio.js';
import { Problem } from './problem.js';

const UPLOAD_RETRY_MS = 2000;
const LIVE_RETRY_MS = 5000;

export function callNotLive(state: string): Problem {
  return new Problem({
    status: 409,
    code: 'call_not_live',
    title: 'Call not live',
    detail: `Cannot play: the call must be established with its audio attached, got state ${state}`,
    retryAfterMs: LIVE_RETRY_MS,
  });
}

export function hostCannotPlay(): Problem {
  return new Problem({
    status: 409,
    code: 'host_cannot_play',
    title: 'Host cannot play',
    detail: 'Cannot play: the media host must offer the way back with Opus, got one that does not',
    fix: 'Run a media host whose hello has send.',
  });
}

export function unsupportedMediaType(got: string | undefined): Problem {
  return new Problem({
    status: 415,
    code: 'unsupported_media_type',
    title: 'Not audio that can be played',
    detail: `Cannot play: Content-Type must be one of ${AUDIO_TYPES.join(', ')}, got ${got?.slice(0, 100) ?? 'none'}`,
  });
}

export function tooLarge(): Problem {
  return new Problem({
    status: 413,
    code: 'too_large',
    title: 'Audio too large',
    detail: `Cannot play: the body must have at most ${MAX_BODY_BYTES} bytes, got more`,
    fix: 'Post it as Ogg Opus, or in parts: they are heard one after the other.',
  });
}

/** Too many bodies at once; too many plays of a call have the same code. */
export function tooManyUploads(): Problem {
  return new Problem({
    status: 429,
    code: 'too_many_plays',
    title: 'Too many plays',
    detail: 'Cannot take the audio: others must be taken in first, got one more at the same time',
    retryAfterMs: UPLOAD_RETRY_MS,
  });
}

export function keyReused(): Problem {
  return new Problem({
    status: 422,
    code: 'idempotency_key_reused',
    title: 'Key used before',
    detail: 'Cannot play: an Idempotency-Key stands for one audio, got another with the same key',
  });
}

export function playNotFound(): Problem {
  return new Problem({
    status: 404,
    code: 'play_not_found',
    title: 'No such play',
    detail: 'Cannot find the play: its id must be one that POST …/play gave, got another',
  });
}
