import { CodedError } from '@earshot/async';

/** @throws CodedError `invalid_frame_length` when `pcm` is not 20 ms. */
export function checkFrame(pcm: Int16Array, frameLength: number): void {
  if (pcm.length === frameLength) return;
  throw new CodedError(
    'invalid_frame_length',
    `Cannot encode: a frame must have ${frameLength} samples, got ${pcm.length}`,
  );
}

export function encoderReleased(): CodedError {
  return new CodedError(
    'encoder_released',
    'Cannot encode: the encoder must not be given back yet, got one that was',
  );
}

export function encodeFailed(error: number): CodedError {
  return new CodedError(
    'opus_encode_failed',
    `Cannot encode: libopus must return a packet, got error ${error}`,
  );
}
