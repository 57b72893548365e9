export type { CreateOpusEngineOptions } from './create-opus-engine.js';
export { createOpusEngine, DEFAULT_OPUS_ENGINE } from './create-opus-engine.js';
export { encodeFrames } from './encode-frames.js';
export { fileKind } from './file-kind.js';
export type { FramePacketsOptions } from './frame-packets.js';
export { toFramePackets } from './frame-packets.js';
export type { OggOpusView } from './list-ogg-opus.js';
export { listOggOpus } from './list-ogg-opus.js';
export type {
  DecodeBatch,
  DecodeBatchOptions,
  DecoderPool,
  DecoderPoolOptions,
  EncoderPool,
  EncoderPoolOptions,
  OpusDecoder,
  OpusEncoder,
  OpusEncoderOptions,
  OpusEngine,
  OpusEngineName,
  OpusSampleRateHz,
} from './opus-engine.js';
export { OPUS_ENGINES } from './opus-engine.js';
export type { OpusHead } from './opus-head.js';
export {
  isStereoPacket,
  MAX_FRAME_BYTES,
  MAX_PACKET_BYTES,
  MAX_PACKET_SAMPLES,
  OPUS_ERROR,
  opusPacketDurationMs,
  opusPacketHasFec,
} from './opus-packet.js';
export type { OggOpus } from './read-ogg-opus.js';
export { readOggOpus } from './read-ogg-opus.js';
export type { WriteOggOpusOptions } from './write-ogg-opus.js';
export { writeOggOpus } from './write-ogg-opus.js';
