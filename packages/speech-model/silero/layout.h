/* What extract.mjs packs and model.c reads, and the sizes that both follow. */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <stdint.h>
#include <wasm_simd128.h>

enum {
   CONTEXT = 64,
   WINDOW = 512,
   FRAMES = 4,
   HOP = 128,
   POINTS = 256,
   HALF = POINTS / 2,
   BINS = HALF + 1,
   UNITS = 128,
   GATES = 4 * UNITS,
   /** Inputs that share a unit: of a spectrum, which is filled up with zeros, and of anything else. */
   BAND = 44,
   BANDS = 3,
   SPECTRUM = BAND * BANDS,
   PART = 32,
   /** The first convolution's products: see fourier.h. */
   SETS = 4,
   PAIRS = FRAMES / 2,
   /** Streams that share a pass over the weights. */
   GROUP = 32,
   ROWS = GROUP * PAIRS,
   /** From one row of numbers to the next. */
   IN_STRIDE = SETS * SPECTRUM,
   IN_UNITS = 16,
   OUT_STRIDE = 512,
};

/**
 * A layer of weights: per 8 outputs, for each part of the inputs 8 units (float), then for each two inputs of the
 * part 8 times two whole numbers. A weight is a number times its unit.
 */
#define LAYER(name, outputs, parts, part)                                                             \
   int16_t name[(outputs) / 8 * (parts) * (16 + 8 * (part))];                                       \
   float name##Bias[outputs]

typedef struct {
   float fourierWindow[POINTS];
   float twiddleRe[3 * POINTS / 4];
   float twiddleIm[3 * POINTS / 4];
   float output[UNITS], outputBias[16];
   LAYER(first, 128, BANDS, BAND);
   LAYER(sum, 128, BANDS, BAND);
   LAYER(difference, 128, BANDS, BAND);
   LAYER(last, 128, BANDS, BAND);
   LAYER(conv1, 64, 3 * 128 / PART, PART);
   LAYER(conv2, 64, 2 * 64 / PART, PART);
   LAYER(conv3, 128, 64 / PART, PART);
   LAYER(lstm, GATES, 2 * UNITS / PART, PART);
} Weights;

/** A layer's input in whole numbers with the units of its parts, and its output. */
static int16_t in[ROWS][IN_STRIDE] __attribute__((aligned(64)));
static float inUnits[ROWS][IN_UNITS] __attribute__((aligned(64)));
static float out[ROWS][OUT_STRIDE] __attribute__((aligned(64)));

/** What a float adds to lose all below one: then its low bits are a whole number. */
static const float ROUND = 12582912;

/** The unit in which `most` is the largest input that extract.mjs reckons with, 2^14; never zero. */
static inline v128_t unitOf(v128_t most)
{
   return wasm_f32x4_pmax(wasm_f32x4_mul(most, wasm_f32x4_const_splat(1.0f / 16384)),
                          wasm_f32x4_const_splat(1e-30f));
}

#endif
