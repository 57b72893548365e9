// The yardstick of the bench: the system's libopus behind Node-API, called in a C loop, and the CPU
// clock of the calling thread. Nothing here checks its arguments: only the bench calls it.
#include <node_api.h>
#include <opus/opus.h>
#include <time.h>

#define MAX_ARGS 6

static double thread_cpu_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static napi_value to_number(napi_env env, double number) {
  napi_value value;
  napi_create_double(env, number, &value);
  return value;
}

static void take_args(napi_env env, napi_callback_info info, napi_value *args) {
  size_t count = MAX_ARGS;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
}

static int32_t int_of(napi_env env, napi_value value) {
  int32_t number = 0;
  napi_get_value_int32(env, value, &number);
  return number;
}

static void *pointer_of(napi_env env, napi_value value) {
  void *pointer = NULL;
  napi_get_value_external(env, value, &pointer);
  return pointer;
}

/** Elements of a typed array; `count` may be NULL. */
static void *elements_of(napi_env env, napi_value value, size_t *count) {
  void *data = NULL;
  napi_get_typedarray_info(env, value, NULL, count, &data, NULL, NULL);
  return data;
}

static napi_value throw_opus(napi_env env, int error) {
  napi_throw_error(env, "opus_failed", opus_strerror(error));
  return NULL;
}

static void free_decoder(napi_env env, void *decoder, void *hint) {
  (void)env;
  (void)hint;
  opus_decoder_destroy(decoder);
}

static void free_encoder(napi_env env, void *encoder, void *hint) {
  (void)env;
  (void)hint;
  opus_encoder_destroy(encoder);
}

// cpuNs(): CPU time of the calling thread
static napi_value cpu_ns(napi_env env, napi_callback_info info) {
  (void)info;
  return to_number(env, thread_cpu_ns());
}

// version(): what libopus calls itself
static napi_value version(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value value;
  napi_create_string_utf8(env, opus_get_version_string(), NAPI_AUTO_LENGTH, &value);
  return value;
}

// createDecoder(sampleRateHz, channels)
static napi_value create_decoder(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS], value;
  take_args(env, info, args);
  int error;
  OpusDecoder *decoder = opus_decoder_create(int_of(env, args[0]), int_of(env, args[1]), &error);
  if (error != OPUS_OK) return throw_opus(env, error);
  napi_create_external(env, decoder, free_decoder, NULL, &value);
  return value;
}

// resetDecoder(decoder)
static napi_value reset_decoder(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  take_args(env, info, args);
  opus_decoder_ctl(pointer_of(env, args[0]), OPUS_RESET_STATE);
  return NULL;
}

// decode(decoder, packet, pcm, samples): samples per channel or a negative error
static napi_value decode(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  take_args(env, info, args);
  size_t length;
  unsigned char *packet = elements_of(env, args[1], &length);
  opus_int16 *pcm = elements_of(env, args[2], NULL);
  int samples = int_of(env, args[3]);
  return to_number(env, opus_decode(pointer_of(env, args[0]), packet, length, pcm, samples, 0));
}

// decodeAll(decoder, bytes, offsets, pcm, samples): decodes packet after packet, the i-th being
// bytes[offsets[i], offsets[i + 1]), round and round into pcm; returns the CPU time, ns
static napi_value decode_all(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  take_args(env, info, args);
  OpusDecoder *decoder = pointer_of(env, args[0]);
  size_t offset_count, pcm_length;
  unsigned char *bytes = elements_of(env, args[1], NULL);
  uint32_t *offsets = elements_of(env, args[2], &offset_count);
  opus_int16 *pcm = elements_of(env, args[3], &pcm_length);
  size_t samples = int_of(env, args[4]);
  size_t at = 0;
  int error = OPUS_OK;
  double start = thread_cpu_ns();
  for (size_t i = 0; i + 1 < offset_count; i++) {
    if (at + samples > pcm_length) at = 0;
    opus_int32 length = offsets[i + 1] - offsets[i];
    int made = opus_decode(decoder, bytes + offsets[i], length, pcm + at, samples, 0);
    if (made < 0) error = made;
    at += samples;
  }
  double cpu_ns = thread_cpu_ns() - start;
  return error == OPUS_OK ? to_number(env, cpu_ns) : throw_opus(env, error);
}

// createEncoder(sampleRateHz, channels, application)
static napi_value create_encoder(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS], value;
  take_args(env, info, args);
  int error;
  OpusEncoder *encoder = opus_encoder_create(int_of(env, args[0]), int_of(env, args[1]),
                                             int_of(env, args[2]), &error);
  if (error != OPUS_OK) return throw_opus(env, error);
  napi_create_external(env, encoder, free_encoder, NULL, &value);
  return value;
}

// setEncoder(encoder, request, value)
static napi_value set_encoder(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  take_args(env, info, args);
  int error = opus_encoder_ctl(pointer_of(env, args[0]), int_of(env, args[1]),
                               (opus_int32)int_of(env, args[2]));
  return error == OPUS_OK ? NULL : throw_opus(env, error);
}

// encode(encoder, pcm, samples, out): bytes
static napi_value encode(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  take_args(env, info, args);
  opus_int16 *pcm = elements_of(env, args[1], NULL);
  size_t room;
  unsigned char *out = elements_of(env, args[3], &room);
  int length = opus_encode(pointer_of(env, args[0]), pcm, int_of(env, args[2]), out, room);
  return length < 0 ? throw_opus(env, length) : to_number(env, length);
}

NAPI_MODULE_INIT() {
  const struct {
    const char *name;
    napi_callback call;
  } functions[] = {
      {"cpuNs", cpu_ns},
      {"version", version},
      {"createDecoder", create_decoder},
      {"resetDecoder", reset_decoder},
      {"decode", decode},
      {"decodeAll", decode_all},
      {"createEncoder", create_encoder},
      {"setEncoder", set_encoder},
      {"encode", encode},
  };
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value value;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &value);
    napi_set_named_property(env, exports, functions[i].name, value);
  }
  return exports;
}
