/*
 * Spectra of a window's 4 frames, one a lane, and what the first convolution makes of them.
 *
 * The convolution over 3 frames (weights g0, g1, g2) gives two frames by 4 products instead of 6 (Winograd's
 * F(2,3)), of frames d0 to d3:
 *    first = (d0 - d2) g0, sum = (d1 + d2) (g0 + g1 + g2) / 2,
 *    difference = (d2 - d1) (g0 - g1 + g2) / 2, last = (d1 - d3) g2
 *    y1 = first + sum + difference, y2 = sum - difference - last
 * Frames before the window and after it are zeros.
 */
#ifndef FOURIER_H
#define FOURIER_H

#include "layout.h"

static v128_t re[HALF], im[HALF];
/** What the products of both pairs are made of, a lane a set. */
static v128_t spectra[PAIRS][BINS];

/** 128 complex numbers, each two samples of the four frames under the window. */
static void cut(const Weights *weights, const int16_t *samples)
{
   static float signal[CONTEXT + WINDOW + CONTEXT];
   int length = CONTEXT + WINDOW;
   for (int i = 0; i < length; i++) signal[i] = samples[i] * (1.0f / 32768);
   for (int i = 0; i < CONTEXT; i++) signal[length + i] = signal[length - 2 - i];
   for (int i = 0; i < HALF; i += 2) {
      const float *x = signal + 2 * i;
      v128_t window = wasm_v128_load(weights->fourierWindow + 2 * i);
      v128_t a = wasm_f32x4_mul(wasm_v128_load(x), window);
      v128_t b = wasm_f32x4_mul(wasm_v128_load(x + HOP), window);
      v128_t c = wasm_f32x4_mul(wasm_v128_load(x + 2 * HOP), window);
      v128_t d = wasm_f32x4_mul(wasm_v128_load(x + 3 * HOP), window);
      v128_t ab = wasm_i32x4_shuffle(a, b, 0, 4, 1, 5), cd = wasm_i32x4_shuffle(c, d, 0, 4, 1, 5);
      v128_t AB = wasm_i32x4_shuffle(a, b, 2, 6, 3, 7), CD = wasm_i32x4_shuffle(c, d, 2, 6, 3, 7);
      re[i] = wasm_i64x2_shuffle(ab, cd, 0, 2);
      im[i] = wasm_i64x2_shuffle(ab, cd, 1, 3);
      re[i + 1] = wasm_i64x2_shuffle(AB, CD, 0, 2);
      im[i + 1] = wasm_i64x2_shuffle(AB, CD, 1, 3);
   }
}

typedef struct {
   v128_t re, im;
} Complex;

static inline Complex plus(Complex a, Complex b)
{
   return (Complex){wasm_f32x4_add(a.re, b.re), wasm_f32x4_add(a.im, b.im)};
}

static inline Complex minus(Complex a, Complex b)
{
   return (Complex){wasm_f32x4_sub(a.re, b.re), wasm_f32x4_sub(a.im, b.im)};
}

/** By e^(-2 pi i turn / 256). */
static inline Complex turned(const Weights *weights, Complex a, int turn)
{
   v128_t wr = wasm_v128_load32_splat(weights->twiddleRe + turn);
   v128_t wi = wasm_v128_load32_splat(weights->twiddleIm + turn);
   return (Complex){wasm_f32x4_sub(wasm_f32x4_mul(a.re, wr), wasm_f32x4_mul(a.im, wi)),
                    wasm_f32x4_add(wasm_f32x4_mul(a.re, wi), wasm_f32x4_mul(a.im, wr))};
}

/** Two steps of a transform at once, of four numbers that were turned. */
static inline void butterfly(Complex x0, Complex x1, Complex x2, Complex x3, v128_t *toRe, v128_t *toIm,
                             int step)
{
   Complex a = plus(x0, x1), b = minus(x0, x1), c = plus(x2, x3), d = minus(x2, x3);
   Complex y0 = plus(a, c), y2 = minus(a, c);
   toRe[0] = y0.re, toIm[0] = y0.im;
   toRe[step] = wasm_f32x4_add(b.re, d.im), toIm[step] = wasm_f32x4_sub(b.im, d.re);
   toRe[2 * step] = y2.re, toIm[2 * step] = y2.im;
   toRe[3 * step] = wasm_f32x4_sub(b.re, d.im), toIm[3 * step] = wasm_f32x4_add(b.im, d.re);
}

/** The complex transform of 128 points, in place. */
static void transform(const Weights *weights)
{
   static v128_t toRe[HALF], toIm[HALF];
   for (int q = 0; q < HALF / 4; q++) {
      int i = (q & 1) << 4 | (q & 2) << 2 | (q & 4) | (q & 8) >> 2 | (q & 16) >> 4;
      Complex x0 = {re[i], im[i]}, x1 = {re[i + 64], im[i + 64]};
      Complex x2 = {re[i + 32], im[i + 32]}, x3 = {re[i + 96], im[i + 96]};
      butterfly(x0, x1, x2, x3, toRe + 4 * q, toIm + 4 * q, 1);
   }
   for (int h = 4; h <= 16; h *= 4)
      for (int k = 0; k < h; k++) {
         int turn = k * (64 / h);
         for (int a = k; a < HALF; a += 4 * h) {
            v128_t *xr = toRe + a, *xi = toIm + a;
            butterfly((Complex){xr[0], xi[0]}, turned(weights, (Complex){xr[h], xi[h]}, 2 * turn),
                      turned(weights, (Complex){xr[2 * h], xi[2 * h]}, turn),
                      turned(weights, (Complex){xr[3 * h], xi[3 * h]}, 3 * turn), xr, xi, h);
         }
      }
   for (int k = 0; k < HALF / 2; k++) {
      Complex a = {toRe[k], toIm[k]};
      Complex b = turned(weights, (Complex){toRe[k + HALF / 2], toIm[k + HALF / 2]}, 2 * k);
      Complex y0 = plus(a, b), y1 = minus(a, b);
      re[k] = y0.re, im[k] = y0.im;
      re[k + HALF / 2] = y1.re, im[k + HALF / 2] = y1.im;
   }
}

static inline v128_t magnitude(v128_t x, v128_t y)
{
   v128_t square = wasm_f32x4_add(wasm_f32x4_mul(x, x), wasm_f32x4_mul(y, y));
   return wasm_f32x4_mul(wasm_f32x4_const_splat(0.5f), wasm_f32x4_sqrt(square));
}

/** What the four products of each pair of frames are of, from one bin of all frames. */
static inline void combine(v128_t d, int bin)
{
   v128_t a = wasm_i32x4_shuffle(d, d, 1, 0, 1, 0), b = wasm_i32x4_shuffle(d, d, 1, 1, 0, 2);
   spectra[0][bin] = wasm_f32x4_add(wasm_f32x4_mul(a, wasm_f32x4_const(-1, 1, 1, 1)),
                                    wasm_f32x4_mul(b, wasm_f32x4_const(0, 1, -1, -1)));
   a = wasm_i32x4_shuffle(d, d, 1, 2, 3, 2), b = wasm_i32x4_shuffle(d, d, 3, 3, 2, 3);
   spectra[1][bin] = wasm_f32x4_add(a, wasm_f32x4_mul(b, wasm_f32x4_const(-1, 1, -1, 0)));
}

/** A pair's spectra as a row of whole numbers. */
static void roundSpectra(const v128_t *spectrum, int row)
{
   v128_t magic = wasm_f32x4_splat(ROUND);
   for (int band = 0; band < BANDS; band++) {
      int from = band * BAND, end = band == BANDS - 1 ? BINS : from + BAND;
      v128_t most = wasm_f32x4_const_splat(0);
      for (int k = from; k < end; k++) most = wasm_f32x4_pmax(most, wasm_f32x4_abs(spectrum[k]));
      v128_t unit = unitOf(most), perUnit = wasm_f32x4_div(wasm_f32x4_const_splat(1), unit);
      float *units = inUnits[row] + band;
      wasm_v128_store32_lane(units, unit, 0);
      wasm_v128_store32_lane(units + BANDS, unit, 1);
      wasm_v128_store32_lane(units + 2 * BANDS, unit, 2);
      wasm_v128_store32_lane(units + 3 * BANDS, unit, 3);
      for (int k = from; k < end; k++) {
         v128_t whole = wasm_f32x4_add(wasm_f32x4_mul(spectrum[k], perUnit), magic);
         int16_t *to = in[row] + k;
         wasm_v128_store16_lane(to, whole, 0);
         wasm_v128_store16_lane(to + SPECTRUM, whole, 2);
         wasm_v128_store16_lane(to + 2 * SPECTRUM, whole, 4);
         wasm_v128_store16_lane(to + 3 * SPECTRUM, whole, 6);
      }
   }
   for (int set = 0; set < SETS; set++)
      for (int k = BINS; k < SPECTRUM; k++) in[row][set * SPECTRUM + k] = 0;
}

/** The samples of a window to the rows of both pairs, `row` and the one after. */
static void fourier(const Weights *weights, const int16_t *samples, int row)
{
   cut(weights, samples);
   transform(weights);
   // A real transform by a complex one of half the length; bin and mirrored bin share their products.
   for (int k = 0; k <= HALF / 2; k++) {
      int mirror = (HALF - k) & (HALF - 1);
      Complex a = {re[k], im[k]}, b = {re[mirror], im[mirror]};
      v128_t evenRe = wasm_f32x4_add(a.re, b.re), evenIm = wasm_f32x4_sub(a.im, b.im);
      Complex odd = {wasm_f32x4_add(a.im, b.im), wasm_f32x4_sub(b.re, a.re)};
      odd = turned(weights, odd, k);
      combine(magnitude(wasm_f32x4_add(evenRe, odd.re), wasm_f32x4_add(evenIm, odd.im)), k);
      combine(magnitude(wasm_f32x4_sub(evenRe, odd.re), wasm_f32x4_sub(odd.im, evenIm)), HALF - k);
   }
   for (int pair = 0; pair < PAIRS; pair++) roundSpectra(spectra[pair], row + pair);
}

#endif
