/* The exports of libopus.wasm. Names as in packages/opus/src/libopus/codec.ts. */
#include "codec.h"

#define EXPORT(name) __attribute__((export_name(#name))) name

const char *EXPORT(version)(void) { return opus_get_version_string(); }

opus_int32 EXPORT(decoderBytes)(opus_int32 channels) { return opus_decoder_get_size(channels); }

opus_int32 EXPORT(initDecoder)(OpusDecoder *state, opus_int32 sampleRateHz, opus_int32 channels)
{
   return opus_decoder_init(state, sampleRateHz, channels);
}

void EXPORT(resetDecoder)(OpusDecoder *state) { opus_decoder_ctl(state, OPUS_RESET_STATE); }

opus_int32 EXPORT(decode)(OpusDecoder *state, const unsigned char *packet, opus_int32 length,
                          opus_int16 *pcm, opus_int32 samples, opus_int32 fec)
{
   return opus_decode(state, length == 0 ? NULL : packet, length, pcm, samples, fec);
}

void EXPORT(decodeBatch)(OpusDecoder *const *states, const opus_int32 *lengths,
                         opus_int32 *results, opus_int32 count, const unsigned char *packets,
                         opus_int32 packetStride, opus_int16 *pcm, opus_int32 pcmStride,
                         opus_int32 maxSamples)
{
   codecDecodeBatch(states, lengths, results, count, packets, packetStride, pcm, pcmStride,
                    maxSamples);
}

opus_int32 EXPORT(encoderBytes)(opus_int32 channels) { return opus_encoder_get_size(channels); }

opus_int32 EXPORT(initEncoder)(OpusEncoder *state, opus_int32 sampleRateHz, opus_int32 channels,
                               opus_int32 application)
{
   return opus_encoder_init(state, sampleRateHz, channels, application);
}

opus_int32 EXPORT(setEncoder)(OpusEncoder *state, opus_int32 request, opus_int32 value)
{
   return codecSetEncoder(state, request, value);
}

opus_int32 EXPORT(encoderLookahead)(OpusEncoder *state) { return codecEncoderLookahead(state); }

opus_int32 EXPORT(encode)(OpusEncoder *state, const opus_int16 *pcm, opus_int32 samples,
                          unsigned char *packet, opus_int32 maxBytes)
{
   return opus_encode(state, pcm, samples, packet, maxBytes);
}
