/* libopus behind Node-API. Every function takes the ArrayBuffer that is the codec's memory, then
   byte offsets into it, where wasm.c takes pointers. A state that would leave the memory is refused;
   other offsets are those that packages/opus/src laid out itself. */
#define NAPI_VERSION 8
#include <node_api.h>
#include "codec.h"

#define MAX_ARGUMENTS 10

typedef struct {
   napi_env env;
   unsigned char *memory;
   size_t bytes;
   opus_int32 numbers[MAX_ARGUMENTS];
} Call;

/* Reads the memory, if there is one, and the numbers after it. */
static void readCall(Call *call, napi_env env, napi_callback_info info)
{
   size_t count = MAX_ARGUMENTS + 1, i, first = 0;
   napi_value values[MAX_ARGUMENTS + 1];
   bool isMemory = false;
   void *memory = NULL;
   call->env = env;
   call->memory = NULL;
   call->bytes = 0;
   napi_get_cb_info(env, info, &count, values, NULL, NULL);
   if (count > 0 && napi_is_arraybuffer(env, values[0], &isMemory) == napi_ok && isMemory)
   {
      napi_get_arraybuffer_info(env, values[0], &memory, &call->bytes);
      call->memory = memory;
      first = 1;
   }
   for (i = first; i < count && i - first < MAX_ARGUMENTS; i++)
   {
      call->numbers[i - first] = 0;
      napi_get_value_int32(env, values[i], &call->numbers[i - first]);
   }
}

static napi_value number(napi_env env, opus_int32 value)
{
   napi_value result = NULL;
   napi_create_int32(env, value, &result);
   return result;
}

static void *at(const Call *call, opus_int32 argument)
{
   return call->memory + (opus_uint32)call->numbers[argument];
}

static int holds(const Call *call, opus_int32 offset, opus_int32 size)
{
   return offset > 0 && size > 0 && (size_t)offset + (size_t)size <= call->bytes;
}

static napi_value version(napi_env env, napi_callback_info info)
{
   napi_value result = NULL;
   (void)info;
   napi_create_string_utf8(env, opus_get_version_string(), NAPI_AUTO_LENGTH, &result);
   return result;
}

static napi_value decoderBytes(napi_env env, napi_callback_info info)
{
   Call call;
   readCall(&call, env, info);
   return number(env, opus_decoder_get_size(call.numbers[0]));
}

static napi_value initDecoder(napi_env env, napi_callback_info info)
{
   Call call;
   readCall(&call, env, info);
   if (!holds(&call, call.numbers[0], opus_decoder_get_size(call.numbers[2])))
      return number(env, OPUS_BAD_ARG);
   return number(env, opus_decoder_init(at(&call, 0), call.numbers[1], call.numbers[2]));
}

static napi_value resetDecoder(napi_env env, napi_callback_info info)
{
   Call call;
   readCall(&call, env, info);
   opus_decoder_ctl((OpusDecoder *)at(&call, 0), OPUS_RESET_STATE);
   return NULL;
}

static napi_value decode(napi_env env, napi_callback_info info)
{
   Call call;
   readCall(&call, env, info);
   return number(env, opus_decode(at(&call, 0), call.numbers[2] == 0 ? NULL : at(&call, 1),
                                  call.numbers[2], at(&call, 3), call.numbers[4],
                                  call.numbers[5]));
}

/* The states of a batch are offsets in 32 bits, which are made pointers a piece at a time. */
static napi_value decodeBatch(napi_env env, napi_callback_info info)
{
   enum { PIECE = 32 };
   OpusDecoder *states[PIECE];
   const opus_uint32 *offsets;
   const opus_int32 *lengths;
   opus_int32 *results;
   opus_int32 count, done, i, n;
   Call call;
   readCall(&call, env, info);
   offsets = at(&call, 0);
   lengths = at(&call, 1);
   results = at(&call, 2);
   count = call.numbers[3];
   for (done = 0; done < count; done += n)
   {
      n = count - done < PIECE ? count - done : PIECE;
      for (i = 0; i < n; i++)
         states[i] = offsets[done + i] == 0 ? NULL : (void *)(call.memory + offsets[done + i]);
      codecDecodeBatch(states, lengths + done, results + done, n,
                       (const unsigned char *)at(&call, 4) + (size_t)done * call.numbers[5],
                       call.numbers[5], (opus_int16 *)at(&call, 6) + (size_t)done * call.numbers[7],
                       call.numbers[7], call.numbers[8]);
   }
   return NULL;
}

static napi_value encoderBytes(napi_env env, napi_callback_info info)
{
   Call call;
   readCall(&call, env, info);
   return number(env, opus_encoder_get_size(call.numbers[0]));
}

static napi_value initEncoder(napi_env env, napi_callback_info info)
{
   Call call;
   readCall(&call, env, info);
   if (!holds(&call, call.numbers[0], opus_encoder_get_size(call.numbers[2])))
      return number(env, OPUS_BAD_ARG);
   return number(env, opus_encoder_init(at(&call, 0), call.numbers[1], call.numbers[2],
                                        call.numbers[3]));
}

static napi_value setEncoder(napi_env env, napi_callback_info info)
{
   Call call;
   readCall(&call, env, info);
   return number(env, codecSetEncoder(at(&call, 0), call.numbers[1], call.numbers[2]));
}

static napi_value encoderLookahead(napi_env env, napi_callback_info info)
{
   Call call;
   readCall(&call, env, info);
   return number(env, codecEncoderLookahead(at(&call, 0)));
}

static napi_value encode(napi_env env, napi_callback_info info)
{
   Call call;
   readCall(&call, env, info);
   return number(env, opus_encode(at(&call, 0), at(&call, 1), call.numbers[2], at(&call, 3),
                                  call.numbers[4]));
}

NAPI_MODULE_INIT()
{
   static const struct { const char *name; napi_callback call; } functions[] = {
      { "version", version },
      { "decoderBytes", decoderBytes },
      { "initDecoder", initDecoder },
      { "resetDecoder", resetDecoder },
      { "decode", decode },
      { "decodeBatch", decodeBatch },
      { "encoderBytes", encoderBytes },
      { "initEncoder", initEncoder },
      { "setEncoder", setEncoder },
      { "encoderLookahead", encoderLookahead },
      { "encode", encode },
   };
   size_t i;
   for (i = 0; i < sizeof functions / sizeof functions[0]; i++)
   {
      napi_value function;
      napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL,
                           &function);
      napi_set_named_property(env, exports, functions[i].name, function);
   }
   return exports;
}
