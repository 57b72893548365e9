/*
 * Forward pass of Silero VAD v6 at 16 kHz, for many streams at once; exports of speech-model.wasm. Names as in
 * packages/speech-model/src/model-code.ts.
 *
 * A window of 512 samples goes, with the 64 before it, through a short-time Fourier transform (4 frames),
 * four convolutions over time, an LSTM of 128 units and one output. A convolution over 3 frames is a matrix
 * product: the rows of frames that it sees lie side by side in memory.
 *
 * Weights and a layer's inputs are rounded to whole numbers of 16 bits, of a unit for each 32 or 44 of them: that
 * is half of the memory of floats, and two of their products are one of a float's. What it changes is in
 * ../README.md.
 *
 * Sums of whole numbers are exact, those of floats are made in one order whatever the number of streams and
 * without fused multiply-add: a stream's probabilities don't depend on its company, nor on the machine.
 */
#include "fourier.h"
#include "layout.h"
#include "multiply.h"

#define EXPORT(name) __attribute__((export_name(#name))) name

/** Most samples that wait beside the context: a window less one, and what one push adds. */
enum { WAITING = WINDOW - 1 + WINDOW };

typedef struct {
   float hidden[UNITS];
   float cell[UNITS];
   float probability;
   int32_t waiting;
   int16_t samples[CONTEXT + WAITING + 1];
} Stream;

int32_t EXPORT(weightsBytes)(void) { return sizeof(Weights); }
int32_t EXPORT(streamBytes)(void) { return sizeof(Stream); }
int32_t EXPORT(probabilityOffset)(void) { return __builtin_offsetof(Stream, probability); }
int32_t EXPORT(waitingOffset)(void) { return __builtin_offsetof(Stream, waiting); }
int32_t EXPORT(samplesOffset)(void) { return __builtin_offsetof(Stream, samples); }

/** e^x to float precision: Cephes' polynomial, no library that might differ. */
static v128_t exponential(v128_t x)
{
   x = wasm_f32x4_pmax(x, wasm_f32x4_const_splat(-87));
   x = wasm_f32x4_pmin(x, wasm_f32x4_const_splat(87));
   v128_t magic = wasm_f32x4_splat(ROUND);
   v128_t whole = wasm_f32x4_add(wasm_f32x4_mul(x, wasm_f32x4_const_splat(1.44269504f)), magic);
   v128_t n = wasm_f32x4_sub(whole, magic);
   v128_t r = wasm_f32x4_sub(x, wasm_f32x4_mul(n, wasm_f32x4_const_splat(0.693359375f)));
   r = wasm_f32x4_add(r, wasm_f32x4_mul(n, wasm_f32x4_const_splat(2.12194440e-4f)));
   v128_t p = wasm_f32x4_const_splat(1.9875691500e-4f);
   p = wasm_f32x4_add(wasm_f32x4_mul(p, r), wasm_f32x4_const_splat(1.3981999507e-3f));
   p = wasm_f32x4_add(wasm_f32x4_mul(p, r), wasm_f32x4_const_splat(8.3334519073e-3f));
   p = wasm_f32x4_add(wasm_f32x4_mul(p, r), wasm_f32x4_const_splat(4.1665795894e-2f));
   p = wasm_f32x4_add(wasm_f32x4_mul(p, r), wasm_f32x4_const_splat(1.6666665459e-1f));
   p = wasm_f32x4_add(wasm_f32x4_mul(p, r), wasm_f32x4_const_splat(0.5f));
   p = wasm_f32x4_add(wasm_f32x4_mul(p, wasm_f32x4_mul(r, r)),
                      wasm_f32x4_add(r, wasm_f32x4_const_splat(1)));
   // Times two to the power of n: p is between 0.7 and 1.5, so its exponent has room.
   return wasm_i32x4_add(p, wasm_i32x4_shl(whole, 23));
}

static v128_t sigmoid(v128_t x)
{
   v128_t one = wasm_f32x4_const_splat(1);
   return wasm_f32x4_div(one, wasm_f32x4_add(one, exponential(wasm_f32x4_neg(x))));
}

static v128_t hyperbolicTangent(v128_t x)
{
   v128_t one = wasm_f32x4_const_splat(1);
   return wasm_f32x4_sub(wasm_f32x4_mul(sigmoid(wasm_f32x4_add(x, x)), wasm_f32x4_const_splat(2)), one);
}

/** Updates a stream's memory from its gates (input, forget, cell, output), and its probability. */
static void remember(const Weights *weights, Stream *stream, const float *gate)
{
   v128_t sum = wasm_f32x4_const_splat(0);
   for (int u = 0; u < UNITS; u += 4) {
      v128_t input = sigmoid(wasm_v128_load(gate + u));
      v128_t forget = sigmoid(wasm_v128_load(gate + UNITS + u));
      v128_t candidate = hyperbolicTangent(wasm_v128_load(gate + 2 * UNITS + u));
      v128_t open = sigmoid(wasm_v128_load(gate + 3 * UNITS + u));
      v128_t cell = wasm_f32x4_add(wasm_f32x4_mul(forget, wasm_v128_load(stream->cell + u)),
                                   wasm_f32x4_mul(input, candidate));
      v128_t hidden = wasm_f32x4_mul(open, hyperbolicTangent(cell));
      wasm_v128_store(stream->cell + u, cell);
      wasm_v128_store(stream->hidden + u, hidden);
      v128_t heard = wasm_f32x4_pmax(wasm_f32x4_const_splat(0), hidden);
      sum = wasm_f32x4_add(sum, wasm_f32x4_mul(heard, wasm_v128_load(weights->output + u)));
   }
   float total = (wasm_f32x4_extract_lane(sum, 0) + wasm_f32x4_extract_lane(sum, 1)) +
                 (wasm_f32x4_extract_lane(sum, 2) + wasm_f32x4_extract_lane(sum, 3));
   v128_t speech = sigmoid(wasm_f32x4_splat(total + weights->outputBias[0]));
   stream->probability = wasm_f32x4_extract_lane(speech, 0);
}

/** The last samples of the window become context, those after it wait for the next. */
static void pass(Stream *stream)
{
   int left = stream->waiting - WINDOW;
   for (int i = 0; i < CONTEXT + left; i++) stream->samples[i] = stream->samples[WINDOW + i];
   stream->waiting = left;
}

/** The first convolution's frames from the products of both pairs, as the next one's input. */
static void joinPairs(int row)
{
   static float frames[FRAMES * 128];
   v128_t floor = wasm_f32x4_const_splat(0);
   for (int pair = 0; pair < PAIRS; pair++) {
      const float *products = out[PAIRS * row + pair];
      float *to = frames + 2 * 128 * pair;
      for (int i = 0; i < 128; i += 4) {
         v128_t first = wasm_v128_load(products + i), sum = wasm_v128_load(products + 128 + i);
         v128_t difference = wasm_v128_load(products + 2 * 128 + i);
         v128_t last = wasm_v128_load(products + 3 * 128 + i);
         v128_t y1 = wasm_f32x4_add(first, wasm_f32x4_add(sum, difference));
         v128_t y2 = wasm_f32x4_sub(wasm_f32x4_sub(sum, difference), last);
         wasm_v128_store(to + i, wasm_f32x4_pmax(floor, y1));
         wasm_v128_store(to + 128 + i, wasm_f32x4_pmax(floor, y2));
      }
   }
   roundParts(row, frames, FRAMES * 128, 0);
}

#define PRODUCT(layer, columns, parts, part, first, count, from, to, rows, isRectified)                 \
   multiply(weights->layer, weights->layer##Bias, columns, parts, part, first, count, from, to, rows,   \
            isRectified)

static void runGroup(const Weights *weights, Stream *const *streams, int count)
{
   int pairs = PAIRS * count;
   for (int i = 0; i < count; i++) fourier(weights, streams[i]->samples, PAIRS * i);
   PRODUCT(first, 128, BANDS, BAND, 0, BANDS, 0, 0, pairs, 0);
   PRODUCT(sum, 128, BANDS, BAND, 0, BANDS, BANDS, 128, pairs, 0);
   PRODUCT(difference, 128, BANDS, BAND, 0, BANDS, 2 * BANDS, 2 * 128, pairs, 0);
   PRODUCT(last, 128, BANDS, BAND, 0, BANDS, 3 * BANDS, 3 * 128, pairs, 0);
   for (int i = 0; i < count; i++) joinPairs(i);
   // Frames before the first and after the last are zeros: left out.
   PRODUCT(conv1, 64, 12, PART, 4, 8, 0, 0, count, 1);
   PRODUCT(conv1, 64, 12, PART, 0, 12, 4, 64, count, 1);
   for (int i = 0; i < count; i++) roundParts(i, out[i], 2 * 64, 0);
   PRODUCT(conv2, 64, 4, PART, 0, 4, 0, 0, count, 1);
   for (int i = 0; i < count; i++) roundParts(i, out[i], 64, 0);
   PRODUCT(conv3, 128, 2, PART, 0, 2, 0, 0, count, 1);
   for (int i = 0; i < count; i++) {
      roundParts(i, out[i], UNITS, 0);
      roundParts(i, streams[i]->hidden, UNITS, UNITS / PART);
   }
   PRODUCT(lstm, GATES, 8, PART, 0, 8, 0, 0, count, 0);
   for (int i = 0; i < count; i++) {
      remember(weights, streams[i], out[i]);
      pass(streams[i]);
   }
}

/** Takes a window of each stream; each has at least one waiting. */
void EXPORT(run)(const Weights *weights, Stream *const *streams, int32_t count)
{
   for (int32_t done = 0; done < count; done += GROUP) {
      int32_t left = count - done;
      runGroup(weights, streams + done, left < GROUP ? left : GROUP);
   }
}
