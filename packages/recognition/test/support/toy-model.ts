import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { OnnxModel } from './onnx-file.js';
import { onnxFile } from './onnx-file.js';

/** As published models have them: begins of words marked, pieces of words, blank first. */
const TOKENS = ['<blk>', '\u2581QUI', '\u2581LOUD', 'ET'] as const;
const VOCABULARY = TOKENS.length;

const FEATURES = 80;
/** Of 10 ms; they become one frame of the encoder, as in published models. */
const CHUNK_FRAMES = 4;

/** By the mean of its features a chunk is silence, quiet or loud, from these on. */
const QUIET_FROM = -10;
const LOUD_FROM = -3;

/** Weights are never smaller than a KiB. */
const PADDING = '-'.repeat(1024);

/**
 * Writes a transducer for sherpa-onnx that understands how loud sound is, and nothing else: `QUIET` and
 * `LOUD`, each once until the other is heard. The runtime is given it as any other model.
 *
 * Source: github.com/k2-fsa/sherpa-onnx `sherpa-onnx/csrc/online-lstm-transducer-model.cc` (metadata,
 * inputs and outputs).
 */
export async function writeToyModel(folder: string): Promise<void> {
  const files: Record<string, OnnxModel> = { encoder, decoder, joiner };
  for (const [name, model] of Object.entries(files)) {
    await writeFile(path.join(folder, `${name}-toy.onnx`), onnxFile(model));
  }
  const tokens = TOKENS.map((token, id) => `${token} ${id}\n`);
  await writeFile(path.join(folder, 'tokens.txt'), tokens.join(''));
}

/** Of each token the lower of two straight lines over the mean of the features; the highest wins. */
const encoder: OnnxModel = {
  metadata: {
    model_type: 'lstm',
    num_encoder_layers: 1,
    T: CHUNK_FRAMES,
    decode_chunk_len: CHUNK_FRAMES,
    rnn_hidden_size: 1,
    d_model: 1,
    padding: PADDING,
  },
  inputs: [
    { name: 'x', type: 'float', dims: [1, CHUNK_FRAMES, FEATURES] },
    { name: 'h', type: 'float', dims: [1, 1, 1] },
    { name: 'c', type: 'float', dims: [1, 1, 1] },
  ],
  outputs: [
    { name: 'encoder_out', type: 'float', dims: [1, 1, VOCABULARY] },
    { name: 'next_h', type: 'float', dims: [1, 1, 1] },
    { name: 'next_c', type: 'float', dims: [1, 1, 1] },
  ],
  constants: [
    { name: 'rise', type: 'float', dims: [1, VOCABULARY], values: [0, 1, 1, 1] },
    {
      name: 'from',
      type: 'float',
      dims: [VOCABULARY],
      values: [0, -QUIET_FROM, -LOUD_FROM, -QUIET_FROM],
    },
    { name: 'fall', type: 'float', dims: [1, VOCABULARY], values: [0, -5, 1, -5] },
    {
      name: 'until',
      type: 'float',
      dims: [VOCABULARY],
      values: [0, 5 * LOUD_FROM, -LOUD_FROM, 5 * LOUD_FROM],
    },
  ],
  nodes: [
    {
      op: 'ReduceMean',
      inputs: ['x'],
      outputs: ['mean'],
      attributes: { axes: [1, 2], keepdims: 1 },
    },
    { op: 'MatMul', inputs: ['mean', 'rise'], outputs: ['rising'] },
    { op: 'Add', inputs: ['rising', 'from'], outputs: ['begun'] },
    { op: 'MatMul', inputs: ['mean', 'fall'], outputs: ['falling'] },
    { op: 'Add', inputs: ['falling', 'until'], outputs: ['notEnded'] },
    { op: 'Min', inputs: ['begun', 'notEnded'], outputs: ['encoder_out'] },
    { op: 'Identity', inputs: ['h'], outputs: ['next_h'] },
    { op: 'Identity', inputs: ['c'], outputs: ['next_c'] },
  ],
};

const NEVER = -1000;

/** What may not follow the token before, by rows: no word follows itself, and `ET` only `QUI`. */
const PENALTIES = [
  [0, 0, 0, NEVER],
  [0, NEVER, 0, 0],
  [0, 0, NEVER, NEVER],
  [0, NEVER, 0, NEVER],
];

const decoder: OnnxModel = {
  metadata: { vocab_size: VOCABULARY, context_size: 2, padding: PADDING },
  inputs: [{ name: 'y', type: 'int64', dims: [1, 2] }],
  outputs: [{ name: 'decoder_out', type: 'float', dims: [1, VOCABULARY] }],
  constants: [
    { name: 'last', type: 'int64', dims: [], values: [1] },
    {
      name: 'penalties',
      type: 'float',
      dims: [VOCABULARY, VOCABULARY],
      values: PENALTIES.flat(),
    },
  ],
  nodes: [
    { op: 'Gather', inputs: ['y', 'last'], outputs: ['before'], attributes: { axis: 1 } },
    { op: 'Gather', inputs: ['penalties', 'before'], outputs: ['decoder_out'] },
  ],
};

const joiner: OnnxModel = {
  metadata: { joiner_dim: VOCABULARY, padding: PADDING },
  inputs: [
    { name: 'encoder_out', type: 'float', dims: [1, VOCABULARY] },
    { name: 'decoder_out', type: 'float', dims: [1, VOCABULARY] },
  ],
  outputs: [{ name: 'logit', type: 'float', dims: [1, VOCABULARY] }],
  constants: [],
  nodes: [{ op: 'Add', inputs: ['encoder_out', 'decoder_out'], outputs: ['logit'] }],
};

/**
 * Writes a CTC model as NeMo exports them: as above, but 80 ms become one frame.
 *
 * Source: github.com/k2-fsa/sherpa-onnx `sherpa-onnx/csrc/online-nemo-ctc-model.cc`.
 */
export async function writeToyNemoModel(folder: string): Promise<void> {
  await writeFile(path.join(folder, 'model.onnx'), onnxFile(nemo));
  await writeFile(path.join(folder, 'tokens.txt'), '\u2581QUIET 0\n\u2581LOUD 1\n<blk> 2\n');
}

const NEMO_FRAMES = 8;
const STATE = [1, 1, 1, 1];

const nemo: OnnxModel = {
  metadata: {
    window_size: NEMO_FRAMES,
    chunk_shift: NEMO_FRAMES,
    subsampling_factor: NEMO_FRAMES,
    // Without the blank.
    vocab_size: 2,
    cache_last_channel_dim1: 1,
    cache_last_channel_dim2: 1,
    cache_last_channel_dim3: 1,
    cache_last_time_dim1: 1,
    cache_last_time_dim2: 1,
    cache_last_time_dim3: 1,
    padding: PADDING,
  },
  inputs: [
    { name: 'audio_signal', type: 'float', dims: [1, FEATURES, NEMO_FRAMES] },
    { name: 'length', type: 'int64', dims: [1] },
    { name: 'cache_last_channel', type: 'float', dims: STATE },
    { name: 'cache_last_time', type: 'float', dims: STATE },
    { name: 'cache_last_channel_len', type: 'int64', dims: [1] },
  ],
  outputs: [
    { name: 'logprobs', type: 'float', dims: [1, 1, 3] },
    { name: 'logprobs_length', type: 'int64', dims: [1] },
    { name: 'next_channel', type: 'float', dims: STATE },
    { name: 'next_time', type: 'float', dims: STATE },
    { name: 'next_channel_len', type: 'int64', dims: [1] },
  ],
  constants: [
    { name: 'rise', type: 'float', dims: [1, 3], values: [1, 2, 0] },
    { name: 'from', type: 'float', dims: [3], values: [-QUIET_FROM, -QUIET_FROM - LOUD_FROM, 0] },
  ],
  nodes: [
    {
      op: 'ReduceMean',
      inputs: ['audio_signal'],
      outputs: ['mean'],
      attributes: { axes: [1, 2], keepdims: 1 },
    },
    { op: 'MatMul', inputs: ['mean', 'rise'], outputs: ['rising'] },
    { op: 'Add', inputs: ['rising', 'from'], outputs: ['logprobs'] },
    { op: 'Identity', inputs: ['length'], outputs: ['logprobs_length'] },
    { op: 'Identity', inputs: ['cache_last_channel'], outputs: ['next_channel'] },
    { op: 'Identity', inputs: ['cache_last_time'], outputs: ['next_time'] },
    { op: 'Identity', inputs: ['cache_last_channel_len'], outputs: ['next_channel_len'] },
  ],
};

const AMPLITUDES = { silence: 0, quiet: 200, loud: 8000 } as const;
const PIECE_SAMPLES = 8000;

/** Half a second of each, as the model understands it; the same each time. */
export function noiseOf(...pieces: readonly (keyof typeof AMPLITUDES)[]): Int16Array {
  const pcm = new Int16Array(pieces.length * PIECE_SAMPLES);
  for (const [index, piece] of pieces.entries()) {
    for (let n = 0; n < PIECE_SAMPLES; n += 1) {
      const unit = ((n * 7919) % 2001) / 1000 - 1;
      pcm[index * PIECE_SAMPLES + n] = Math.round(AMPLITUDES[piece] * unit);
    }
  }
  return pcm;
}
