/* What Earshot asks of libopus, the same for both builds. Pointers come from packages/opus/src,
   which alone lays out the memory. */
#ifndef EARSHOT_CODEC_H
#define EARSHOT_CODEC_H

#include <stddef.h>
#include <opus.h>

/* Decodes one packet of one state per entry, entry after entry. `states[i]` NULL: invalid state.
   Packets and PCM lie at equal distances: `packetStride` bytes, `pcmStride` samples. */
static void codecDecodeBatch(OpusDecoder *const *states, const opus_int32 *lengths,
                             opus_int32 *results, opus_int32 count, const unsigned char *packets,
                             opus_int32 packetStride, opus_int16 *pcm, opus_int32 pcmStride,
                             opus_int32 maxSamples)
{
   opus_int32 i;
   for (i = 0; i < count; i++)
   {
      /* Without a packet libopus would conceal: that is asked for by name, not by accident. */
      results[i] = states[i] == NULL ? OPUS_INVALID_STATE
                 : lengths[i] <= 0   ? OPUS_INVALID_PACKET
                                     : opus_decode(states[i], packets + (size_t)i * packetStride,
                                                   lengths[i], pcm + (size_t)i * pcmStride,
                                                   maxSamples, 0);
   }
}

/* `opus_encoder_ctl` with a value; its arguments are variable, which neither host can call. */
static int codecSetEncoder(OpusEncoder *encoder, opus_int32 request, opus_int32 value)
{
   return opus_encoder_ctl(encoder, request, value);
}

static opus_int32 codecEncoderLookahead(OpusEncoder *encoder)
{
   opus_int32 samples = 0;
   opus_encoder_ctl(encoder, OPUS_GET_LOOKAHEAD(&samples));
   return samples;
}

#endif
