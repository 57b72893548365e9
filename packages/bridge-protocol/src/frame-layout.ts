import { CODEC, LIMITS } from './protocol.js';

/** `u8 version, u8 kind, u16 frameCount`. */
export const MESSAGE_HEADER_BYTES = 4;

/** `u16 streamId, u8 codec, u8 flags, u32 sequence, u64 captureTicks, u16 payloadLength`. */
export const FRAME_HEADER_BYTES = 18;

/** Whether a payload of `length` bytes can stand after `codec`; false for an unknown codec. */
export function isPayloadLength(codec: number, length: number): boolean {
  switch (codec) {
    case CODEC.silence:
      return length === 0;
    case CODEC.opus:
      return length >= 1 && length <= LIMITS.maxPayloadBytes;
    case CODEC.pcm16:
      return length === LIMITS.pcmPayloadBytes;
    default:
      return false;
  }
}

/** Whether v1 defines `codec`. */
export function isCodec(codec: number): boolean {
  return codec === CODEC.silence || codec === CODEC.opus || codec === CODEC.pcm16;
}
