/*
 * Forward pass of Silero VAD v6 at 16 kHz, for many streams at once; exports of speech-model.wasm. Names as in
 * packages/speech-model/src/model-code.ts.
 *
 * A window of 512 samples goes, with the 64 before it, through a short-time Fourier transform (4 frames),
 * four convolutions over time, an LSTM of 128 units and one output. A convolution over 3 frames is a matrix
 * product: the rows of frames that it sees lie side by side in memory. So all that costs time is `multiply`.
 *
 * Each sum is made in one order whatever the number of streams, and without fused multiply-add: a stream's
 * probabilities don't depend on its company, nor on the machine.
 */
#include <stdint.h>
#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name))) name

enum {
   CONTEXT = 64,
   WINDOW = 512,
   /** Most samples that wait beside the context: a window less one, and what one push adds. */
   WAITING = WINDOW - 1 + WINDOW,
   FRAMES = 4,
   HOP = 128,
   POINTS = 256,
   HALF = POINTS / 2,
   BINS = HALF + 1,
   UNITS = 128,
   GATES = 4 * UNITS,
   /** Streams that share a pass over the weights. */
   GROUP = 32,
};

/** Weights as packed by extract.mjs: per 8 outputs, for each input 8 weights. */
typedef struct {
   float fourierWindow[POINTS];
   float bitReversed[HALF];
   float twiddleRe[HALF];
   float twiddleIm[HALF];
   float conv0[128 * 3 * BINS], bias0[128];
   float conv1[64 * 3 * 128], bias1[64];
   float conv2[64 * 2 * 64], bias2[64];
   float conv3[128 * 64], bias3[128];
   float lstm[GATES * 2 * UNITS], lstmBias[GATES];
   float output[UNITS], outputBias[8];
} Weights;

typedef struct {
   float hidden[UNITS];
   float cell[UNITS];
   float probability;
   int32_t waiting;
   int16_t samples[CONTEXT + WAITING + 1];
} Stream;

static float magnitudes[GROUP][FRAMES * BINS] __attribute__((aligned(64)));
static float layer0[GROUP][FRAMES * 128] __attribute__((aligned(64)));
static float layer1[GROUP][2 * 64] __attribute__((aligned(64)));
static float layer2[GROUP][64] __attribute__((aligned(64)));
static float lstmIn[GROUP][2 * UNITS] __attribute__((aligned(64)));
static float gates[GROUP][GATES] __attribute__((aligned(64)));

int32_t EXPORT(weightsBytes)(void) { return sizeof(Weights); }
int32_t EXPORT(streamBytes)(void) { return sizeof(Stream); }
int32_t EXPORT(probabilityOffset)(void) { return __builtin_offsetof(Stream, probability); }
int32_t EXPORT(waitingOffset)(void) { return __builtin_offsetof(Stream, waiting); }
int32_t EXPORT(samplesOffset)(void) { return __builtin_offsetof(Stream, samples); }

/** One product of `ROWS` rows with `BLOCKS` times 8 columns. */
#define KERNEL(ROWS, BLOCKS)                                                                        \
   static void multiply##ROWS##x##BLOCKS(const float *weights, int blockStride, const float *bias,  \
                                         int length, const float *in, int inStride, float *out,     \
                                         int outStride, int isRectified)                            \
   {                                                                                                \
      v128_t sums[ROWS][2 * BLOCKS];                                                                \
      _Pragma("clang loop unroll(full)") for (int row = 0; row < ROWS; row++)                       \
         _Pragma("clang loop unroll(full)") for (int v = 0; v < 2 * BLOCKS; v++)                    \
            sums[row][v] = wasm_v128_load(bias + 4 * v);                                            \
      for (int k = 0; k < length; k++) {                                                            \
         _Pragma("clang loop unroll(full)") for (int block = 0; block < BLOCKS; block++) {          \
            const float *w = weights + block * blockStride + 8 * k;                                 \
            v128_t w0 = wasm_v128_load(w), w1 = wasm_v128_load(w + 4);                              \
            _Pragma("clang loop unroll(full)") for (int row = 0; row < ROWS; row++) {               \
               v128_t x = wasm_v128_load32_splat(in + row * inStride + k);                          \
               sums[row][2 * block] =                                                               \
                  wasm_f32x4_add(sums[row][2 * block], wasm_f32x4_mul(w0, x));                      \
               sums[row][2 * block + 1] =                                                           \
                  wasm_f32x4_add(sums[row][2 * block + 1], wasm_f32x4_mul(w1, x));                  \
            }                                                                                       \
         }                                                                                          \
      }                                                                                             \
      v128_t floor = wasm_f32x4_const_splat(0);                                                     \
      _Pragma("clang loop unroll(full)") for (int row = 0; row < ROWS; row++)                       \
         _Pragma("clang loop unroll(full)") for (int v = 0; v < 2 * BLOCKS; v++) {                  \
            v128_t sum = sums[row][v];                                                              \
            if (isRectified) sum = wasm_f32x4_pmax(floor, sum);                                     \
            wasm_v128_store(out + row * outStride + 4 * v, sum);                                    \
         }                                                                                          \
   }

KERNEL(4, 1)
KERNEL(2, 2)
KERNEL(1, 4)

/**
 * out[row] = bias + weights × in[row], over the inputs [from, from + length) of `inputs`.
 * `in` points at the first of those inputs; columns are a multiple of 32.
 */
static void multiply(const float *weights, const float *bias, int columns, int inputs, int from,
                     int length, const float *in, int inStride, float *out, int outStride, int rows,
                     int isRectified)
{
   int stride = 8 * inputs;
   for (int column = 0; column < columns; column += 32) {
      const float *w = weights + column / 8 * stride + 8 * from;
      int row = 0;
      for (; row + 4 <= rows; row += 4)
         for (int block = 0; block < 4; block++)
            multiply4x1(w + block * stride, stride, bias + column + 8 * block, length,
                        in + row * inStride, inStride, out + row * outStride + column + 8 * block,
                        outStride, isRectified);
      for (; row + 2 <= rows; row += 2)
         for (int block = 0; block < 4; block += 2)
            multiply2x2(w + block * stride, stride, bias + column + 8 * block, length,
                        in + row * inStride, inStride, out + row * outStride + column + 8 * block,
                        outStride, isRectified);
      for (; row < rows; row++)
         multiply1x4(w, stride, bias + column, length, in + row * inStride, inStride,
                     out + row * outStride + column, outStride, isRectified);
   }
}

/** Magnitudes of 4 frames at a time, one a lane: a real transform by a complex one of half the length. */
static void fourier(const Weights *weights, const int16_t *samples, float *out)
{
   static float signal[CONTEXT + WINDOW + CONTEXT];
   static v128_t re[HALF], im[HALF];
   int length = CONTEXT + WINDOW;
   for (int i = 0; i < length; i++) signal[i] = samples[i] * (1.0f / 32768);
   for (int i = 0; i < CONTEXT; i++) signal[length + i] = signal[length - 2 - i];

   for (int i = 0; i < HALF; i++) {
      int at = (int)weights->bitReversed[i];
      const float *x = signal + 2 * i, *w = weights->fourierWindow + 2 * i;
      re[at] = wasm_f32x4_mul(wasm_f32x4_make(x[0], x[HOP], x[2 * HOP], x[3 * HOP]),
                              wasm_f32x4_splat(w[0]));
      im[at] = wasm_f32x4_mul(wasm_f32x4_make(x[1], x[HOP + 1], x[2 * HOP + 1], x[3 * HOP + 1]),
                              wasm_f32x4_splat(w[1]));
   }
   for (int half = 1; half < HALF; half *= 2) {
      for (int k = 0; k < half; k++) {
         // Twiddles are of 256 points.
         v128_t wr = wasm_f32x4_splat(weights->twiddleRe[k * (HALF / half)]);
         v128_t wi = wasm_f32x4_splat(weights->twiddleIm[k * (HALF / half)]);
         for (int a = k; a < HALF; a += 2 * half) {
            int b = a + half;
            v128_t br = wasm_f32x4_sub(wasm_f32x4_mul(re[b], wr), wasm_f32x4_mul(im[b], wi));
            v128_t bi = wasm_f32x4_add(wasm_f32x4_mul(re[b], wi), wasm_f32x4_mul(im[b], wr));
            v128_t ar = re[a], ai = im[a];
            re[a] = wasm_f32x4_add(ar, br);
            im[a] = wasm_f32x4_add(ai, bi);
            re[b] = wasm_f32x4_sub(ar, br);
            im[b] = wasm_f32x4_sub(ai, bi);
         }
      }
   }
   v128_t one = wasm_f32x4_const_splat(1), half = wasm_f32x4_const_splat(0.5f);
   for (int k = 0; k <= HALF; k++) {
      int a = k & (HALF - 1), b = (HALF - k) & (HALF - 1);
      v128_t wr = k < HALF ? wasm_f32x4_splat(weights->twiddleRe[k]) : wasm_f32x4_neg(one);
      v128_t wi = wasm_f32x4_splat(k < HALF ? weights->twiddleIm[k] : 0);
      v128_t evenRe = wasm_f32x4_add(re[a], re[b]), evenIm = wasm_f32x4_sub(im[a], im[b]);
      v128_t oddRe = wasm_f32x4_add(im[a], im[b]), oddIm = wasm_f32x4_sub(re[b], re[a]);
      v128_t x = wasm_f32x4_add(
         evenRe, wasm_f32x4_sub(wasm_f32x4_mul(oddRe, wr), wasm_f32x4_mul(oddIm, wi)));
      v128_t y = wasm_f32x4_add(
         evenIm, wasm_f32x4_add(wasm_f32x4_mul(oddRe, wi), wasm_f32x4_mul(oddIm, wr)));
      v128_t m = wasm_f32x4_mul(
         half, wasm_f32x4_sqrt(wasm_f32x4_add(wasm_f32x4_mul(x, x), wasm_f32x4_mul(y, y))));
      out[k] = wasm_f32x4_extract_lane(m, 0);
      out[BINS + k] = wasm_f32x4_extract_lane(m, 1);
      out[2 * BINS + k] = wasm_f32x4_extract_lane(m, 2);
      out[3 * BINS + k] = wasm_f32x4_extract_lane(m, 3);
   }
}

/** e^x to float precision: Cephes' polynomial, no library that might differ. */
static v128_t exponential(v128_t x)
{
   x = wasm_f32x4_min(wasm_f32x4_max(x, wasm_f32x4_const_splat(-87)), wasm_f32x4_const_splat(87));
   v128_t n = wasm_f32x4_nearest(wasm_f32x4_mul(x, wasm_f32x4_const_splat(1.44269504f)));
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
   v128_t power = wasm_i32x4_add(wasm_i32x4_trunc_sat_f32x4(n), wasm_i32x4_const_splat(127));
   return wasm_f32x4_mul(p, wasm_i32x4_shl(power, 23));
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

static void runGroup(const Weights *weights, Stream *const *streams, int count)
{
   for (int i = 0; i < count; i++) fourier(weights, streams[i]->samples, magnitudes[i]);
   for (int t = 0; t < FRAMES; t++) {
      // Frames before the first and after the last are zeros: left out.
      int first = t == 0 ? 1 : 0, last = t == FRAMES - 1 ? 1 : 2;
      multiply(weights->conv0, weights->bias0, 128, 3 * BINS, first * BINS, (last - first + 1) * BINS,
               magnitudes[0] + (t - 1 + first) * BINS, FRAMES * BINS, layer0[0] + t * 128,
               FRAMES * 128, count, 1);
   }
   multiply(weights->conv1, weights->bias1, 64, 3 * 128, 128, 2 * 128, layer0[0], FRAMES * 128,
            layer1[0], 2 * 64, count, 1);
   multiply(weights->conv1, weights->bias1, 64, 3 * 128, 0, 3 * 128, layer0[0] + 128, FRAMES * 128,
            layer1[0] + 64, 2 * 64, count, 1);
   multiply(weights->conv2, weights->bias2, 64, 2 * 64, 0, 2 * 64, layer1[0], 2 * 64, layer2[0], 64,
            count, 1);
   multiply(weights->conv3, weights->bias3, 128, 64, 0, 64, layer2[0], 64, lstmIn[0], 2 * UNITS,
            count, 1);
   for (int i = 0; i < count; i++)
      for (int u = 0; u < UNITS; u++) lstmIn[i][UNITS + u] = streams[i]->hidden[u];
   multiply(weights->lstm, weights->lstmBias, GATES, 2 * UNITS, 0, 2 * UNITS, lstmIn[0], 2 * UNITS,
            gates[0], GATES, count, 0);
   for (int i = 0; i < count; i++) {
      remember(weights, streams[i], gates[i]);
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
