/* Products of weights and rows of numbers: nearly all of the model's time. */
#ifndef MULTIPLY_H
#define MULTIPLY_H

#include "layout.h"

#define UNROLLED _Pragma("clang loop unroll(full)")

/**
 * One product of `ROWS` rows with `BLOCKS` times 8 columns. Whole numbers are summed within a part, where
 * extract.mjs sees to it that no sum overflows. What a step loads and sums must fit into 15 registers:
 * unrolled, it is slower.
 */
#define KERNEL(ROWS, BLOCKS)                                                                        \
   static void multiply##ROWS##x##BLOCKS(const int16_t *weights, int blockStride,                   \
                                         const float *bias, int parts, int part, const int16_t *x,  \
                                         const float *units, float *to, int isRectified)            \
   {                                                                                                \
      v128_t totals[ROWS][2 * BLOCKS];                                                              \
      UNROLLED for (int row = 0; row < ROWS; row++)                                                 \
         UNROLLED for (int v = 0; v < 2 * BLOCKS; v++)                                              \
            totals[row][v] = wasm_v128_load(bias + 4 * v);                                          \
      for (; parts > 0; parts--) {                                                                  \
         v128_t sums[ROWS][2 * BLOCKS];                                                             \
         UNROLLED for (int row = 0; row < ROWS; row++)                                              \
            UNROLLED for (int v = 0; v < 2 * BLOCKS; v++) sums[row][v] = wasm_i32x4_const_splat(0); \
         const int16_t *w = weights + 16;                                                           \
         for (const int16_t *end = x + part; x < end; x += 2, w += 16)                              \
            UNROLLED for (int block = 0; block < BLOCKS; block++) {                                 \
               v128_t w0 = wasm_v128_load(w + block * blockStride);                                 \
               v128_t w1 = wasm_v128_load(w + block * blockStride + 8);                             \
               UNROLLED for (int row = 0; row < ROWS; row++) {                                      \
                  v128_t pair = wasm_v128_load32_splat(x + row * IN_STRIDE);                        \
                  v128_t *sum = &sums[row][2 * block];                                              \
                  sum[0] = wasm_i32x4_add(sum[0], wasm_i32x4_dot_i16x8(w0, pair));                  \
                  sum[1] = wasm_i32x4_add(sum[1], wasm_i32x4_dot_i16x8(w1, pair));                  \
               }                                                                                    \
            }                                                                                       \
         UNROLLED for (int v = 0; v < 2 * BLOCKS; v++) {                                            \
            v128_t unit = wasm_v128_load(weights + v / 2 * blockStride + 8 * (v & 1));              \
            UNROLLED for (int row = 0; row < ROWS; row++) {                                         \
               v128_t both = wasm_f32x4_mul(unit, wasm_v128_load32_splat(units + row * IN_UNITS));  \
               totals[row][v] = wasm_f32x4_add(                                                     \
                  totals[row][v], wasm_f32x4_mul(both, wasm_f32x4_convert_i32x4(sums[row][v])));    \
            }                                                                                       \
         }                                                                                          \
         units++;                                                                                   \
         weights = w;                                                                               \
      }                                                                                             \
      v128_t floor = wasm_f32x4_const_splat(0);                                                     \
      UNROLLED for (int row = 0; row < ROWS; row++)                                                 \
         UNROLLED for (int v = 0; v < 2 * BLOCKS; v++) {                                            \
            v128_t total = totals[row][v];                                                          \
            if (isRectified) total = wasm_f32x4_pmax(floor, total);                                 \
            wasm_v128_store(to + row * OUT_STRIDE + 4 * v, total);                                  \
         }                                                                                          \
   }

KERNEL(4, 1)
KERNEL(3, 1)
KERNEL(2, 2)
KERNEL(1, 4)

/**
 * out[row][to…] = bias + weights × in[row], over `count` parts of the inputs: those from `first` on of the
 * layer's `parts`, which lie from the part `from` on in `in`. Columns are a multiple of 32.
 */
static void multiply(const int16_t *weights, const float *bias, int columns, int parts, int part,
                     int first, int count, int from, int to, int rows, int isRectified)
{
   int size = 16 + 8 * part, stride = parts * size;
   for (int column = 0; column < columns; column += 32) {
      const int16_t *w = weights + column / 8 * stride + first * size;
      int row = 0;
#define BY(ROWS, BLOCKS)                                                                            \
   for (int block = 0; block < 4; block += BLOCKS)                                                  \
   multiply##ROWS##x##BLOCKS(w + block * stride, stride, bias + column + 8 * block, count, part,    \
                             in[row] + from * part, inUnits[row] + from,                            \
                             out[row] + to + column + 8 * block, isRectified)
      for (; row + 4 <= rows; row += 4) BY(4, 1);
      if (rows - row == 3) BY(3, 1);
      if (rows - row == 2) BY(2, 2);
      if (rows - row == 1) BY(1, 4);
   }
}

/** Makes a row's parts of whole numbers, from part `at` on, of `length` numbers. */
static void roundParts(int row, const float *numbers, int length, int at)
{
   v128_t magic = wasm_f32x4_splat(ROUND), one = wasm_f32x4_const_splat(1);
   for (int part = 0; part < length / PART; part++, at++, numbers += PART) {
      v128_t most = wasm_f32x4_const_splat(0);
      UNROLLED for (int i = 0; i < PART; i += 4)
         most = wasm_f32x4_pmax(most, wasm_f32x4_abs(wasm_v128_load(numbers + i)));
      most = wasm_f32x4_pmax(most, wasm_i32x4_shuffle(most, most, 2, 3, 0, 1));
      most = wasm_f32x4_pmax(most, wasm_i32x4_shuffle(most, most, 1, 0, 3, 2));
      v128_t unit = unitOf(most), perUnit = wasm_f32x4_div(one, unit);
      inUnits[row][at] = wasm_f32x4_extract_lane(unit, 0);
      UNROLLED for (int i = 0; i < PART; i += 8) {
         v128_t a = wasm_f32x4_add(wasm_f32x4_mul(wasm_v128_load(numbers + i), perUnit), magic);
         v128_t b = wasm_f32x4_add(wasm_f32x4_mul(wasm_v128_load(numbers + i + 4), perUnit), magic);
         v128_t whole = wasm_i16x8_narrow_i32x4(wasm_i32x4_sub(a, magic), wasm_i32x4_sub(b, magic));
         wasm_v128_store(in[row] + at * PART + i, whole);
      }
   }
}

#endif
