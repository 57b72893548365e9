// @ts-check
// Packs the weights of Silero VAD v6 (16 kHz) from its ONNX file into the layout that model.c reads.

/** What of protobuf and ONNX (onnx.proto3) is needed to find the initializers of a graph. */
const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR = { dims: 1, name: 8, raw: 9, floats: 4 };

const UNITS = 128;
const POINTS = 256;

/** Inputs that share a unit: of a spectrum, and of anything else. */
const BAND = 44;
const SPECTRUM = 3 * BAND;
const PART = 32;

/** Most that a weight in 16 bits, and a sum in 32, can hold. */
const MOST_16 = 32_767;
const MOST_32 = 2 ** 31 - 1;

/** Most that layout.h makes of an input: a bit less for inputs is a bit more for weights. */
const MOST_INPUT = 2 ** 14;

/** @typedef {{ dims: number[], values: Float32Array }} Tensor */

/**
 * @param {Uint8Array} onnx
 * @returns {Buffer} laid out as `Weights` in layout.h
 */
export function packWeights(onnx) {
  const tensors = initializers(onnx);
  const basis = tensor(tensors, 'model.stft.forward_basis_buffer', [258, 1, 256]);
  checkBasis(basis);
  const turns = Array.from({ length: (3 * POINTS) / 4 }, (_, k) => (2 * Math.PI * k) / POINTS);
  return Buffer.concat([
    floats(basis.subarray(0, POINTS)),
    floats(turns.map(Math.cos)),
    floats(turns.map((turn) => -Math.sin(turn))),
    floats(tensor(tensors, 'model.decoder.decoder.2.weight', [1, UNITS, 1])),
    floats([...tensor(tensors, 'model.decoder.decoder.2.bias', [1]), ...new Float32Array(15)]),
    ...packFirst(tensors),
    packConv(tensors, 1, 64, 128, [0, 1, 2]),
    // Of its two frames, and the one after, the taps that fall on zeros are left out.
    packConv(tensors, 2, 64, 64, [1, 2]),
    packConv(tensors, 3, 128, 64, [1]),
    packLstm(tensors),
  ]);
}

/** The four products that fourier.h prepares. @param {Map<string, Tensor>} tensors */
function packFirst(tensors) {
  const { weight, bias } = convOf(tensors, 0, 128, POINTS / 2 + 1);
  /** @param {(g0: number, g1: number, g2: number) => number} combine @param {boolean} isSigned @param {Float32Array} bias */
  const pack = (combine, isSigned, bias) =>
    packLayer({
      inputs: SPECTRUM,
      part: BAND,
      bias,
      isSigned: () => isSigned,
      weight: (output, k) =>
        k > POINTS / 2
          ? 0
          : combine(weight(output, k, 0), weight(output, k, 1), weight(output, k, 2)),
    });
  const none = new Float32Array(bias.length);
  return [
    pack((g0) => g0, true, none),
    pack((g0, g1, g2) => (g0 + g1 + g2) / 2, false, bias),
    pack((g0, g1, g2) => (g0 - g1 + g2) / 2, true, none),
    pack((_g0, _g1, g2) => g2, true, none),
  ];
}

/** @param {Map<string, Tensor>} tensors @param {number} layer @param {number} outputs @param {number} inputs @param {number[]} taps */
function packConv(tensors, layer, outputs, inputs, taps) {
  const { weight, bias } = convOf(tensors, layer, outputs, inputs);
  return packLayer({
    inputs: taps.length * inputs,
    part: PART,
    bias,
    isSigned: () => false,
    weight: (output, k) => weight(output, k % inputs, taps[Math.floor(k / inputs)] ?? 0),
  });
}

/** @param {Map<string, Tensor>} tensors @param {number} layer @param {number} outputs @param {number} inputs */
function convOf(tensors, layer, outputs, inputs) {
  const name = `model.encoder.${layer}.reparam_conv`;
  const weights = tensor(tensors, `${name}.weight`, [outputs, inputs, 3]);
  return {
    /** @param {number} output @param {number} input @param {number} tap */
    weight: (output, input, tap) => weights[(output * inputs + input) * 3 + tap] ?? 0,
    bias: tensor(tensors, `${name}.bias`, [outputs]),
  };
}

/** @param {Map<string, Tensor>} tensors */
function packLstm(tensors) {
  const name = 'model.decoder.rnn';
  const gates = 4 * UNITS;
  const ofInput = tensor(tensors, `${name}.weight_ih`, [gates, UNITS]);
  const ofHidden = tensor(tensors, `${name}.weight_hh`, [gates, UNITS]);
  const inputBias = tensor(tensors, `${name}.bias_ih`, [gates]);
  const hiddenBias = tensor(tensors, `${name}.bias_hh`, [gates]);
  return packLayer({
    inputs: 2 * UNITS,
    part: PART,
    bias: inputBias.map((bias, gate) => bias + (hiddenBias[gate] ?? 0)),
    isSigned: (k) => k >= UNITS,
    weight: (gate, k) =>
      (k < UNITS ? ofInput[gate * UNITS + k] : ofHidden[gate * UNITS + k - UNITS]) ?? 0,
  });
}

/**
 * @typedef {object} Layer
 * @property {number} inputs
 * @property {number} part inputs that share a unit
 * @property {Float32Array} bias
 * @property {(input: number) => boolean} isSigned whether the input can be below zero
 * @property {(output: number, input: number) => number} weight
 */

/** @param {Layer} layer */
function packLayer({ inputs, part, bias, isSigned, weight }) {
  const packed = [];
  for (let block = 0; block < bias.length; block += 8) {
    for (let from = 0; from < inputs; from += part) {
      const lanes = Array.from({ length: 8 }, (_, lane) =>
        Array.from({ length: part }, (_, k) => weight(block + lane, from + k)),
      );
      const units = lanes.map((weights) => unitOf(weights, isSigned(from)));
      packed.push(floats(units), wholes(lanes, units));
    }
  }
  return Buffer.concat([...packed, floats(bias)]);
}

/**
 * The least unit in which all weights fit into 16 bits, and their products with any inputs can be
 * summed in 32.
 *
 * @param {number[]} weights @param {boolean} isSigned
 */
function unitOf(weights, isSigned) {
  const most = Math.max(...weights.map(Math.abs));
  const above = weights.reduce((sum, w) => sum + Math.max(0, w), 0);
  const below = weights.reduce((sum, w) => sum + Math.max(0, -w), 0);
  const together = isSigned ? above + below : Math.max(above, below);
  // Each is rounded by a half at most.
  const room = MOST_32 / MOST_INPUT - weights.length;
  return Math.fround(Math.max(most / MOST_16, together / room, 1e-30));
}

/** For each two inputs, of each lane two weights. @param {number[][]} lanes @param {number[]} units */
function wholes(lanes, units) {
  const packed = [];
  for (let k = 0; k < (lanes[0]?.length ?? 0); k += 2) {
    lanes.forEach((weights, lane) => {
      for (const weight of weights.slice(k, k + 2)) {
        const whole = Math.round(weight / (units[lane] ?? 1));
        packed.push(Math.max(-MOST_16, Math.min(MOST_16, whole)));
      }
    });
  }
  return Buffer.from(Int16Array.from(packed).buffer);
}

/** @param {Iterable<number>} values */
function floats(values) {
  return Buffer.from(Float32Array.from(values).buffer);
}

/** The model's transform must be the windowed Fourier transform that model.c makes fast. @param {Float32Array} basis */
function checkBasis(basis) {
  let worst = 0;
  for (let k = 0; k <= POINTS / 2; k += 1) {
    for (let n = 0; n < POINTS; n += 1) {
      const angle = (2 * Math.PI * k * n) / POINTS;
      const window = basis[n] ?? 0;
      const re = basis[k * POINTS + n] ?? 0;
      const im = basis[(POINTS / 2 + 1 + k) * POINTS + n] ?? 0;
      worst = Math.max(
        worst,
        Math.abs(re - window * Math.cos(angle)),
        Math.abs(im + window * Math.sin(angle)),
      );
    }
  }
  if (worst > 1e-6) throw new Error(`The model's transform must be Fourier's, is ${worst} off`);
}

/** @param {Map<string, Tensor>} tensors @param {string} name @param {number[]} dims */
function tensor(tensors, name, dims) {
  const found = tensors.get(name);
  if (found === undefined || found.dims.join() !== dims.join()) {
    throw new Error(`The model must have ${name} [${dims}], got [${found?.dims}]`);
  }
  return found.values;
}

/** @param {Uint8Array} onnx @returns {Map<string, Tensor>} */
function initializers(onnx) {
  const graph = [...fields(onnx)].find(({ number }) => number === MODEL_GRAPH);
  if (graph === undefined) throw new Error('The model must have a graph, has none');
  /** @type {Map<string, Tensor>} */
  const tensors = new Map();
  for (const { number, bytes } of fields(graph.bytes)) {
    if (number !== GRAPH_INITIALIZER) continue;
    const { name, ...tensor } = readTensor(bytes);
    tensors.set(name, tensor);
  }
  return tensors;
}

/** @param {Uint8Array} bytes */
function readTensor(bytes) {
  let name = '';
  let values = new Float32Array();
  /** @type {number[]} */
  const dims = [];
  for (const field of fields(bytes)) {
    if (field.number === TENSOR.dims) {
      if (field.bytes.length === 0) dims.push(field.value);
      else
        for (let at = 0; at < field.bytes.length; ) {
          const read = varint(field.bytes, at);
          dims.push(read.value);
          at = read.next;
        }
    }
    if (field.number === TENSOR.name) name = new TextDecoder().decode(field.bytes);
    if (field.number === TENSOR.raw || field.number === TENSOR.floats) {
      values = new Float32Array(Uint8Array.from(field.bytes).buffer);
    }
  }
  return { name, dims, values };
}

/** The fields of a protobuf message. @param {Uint8Array} bytes */
function* fields(bytes) {
  for (let at = 0; at < bytes.length; ) {
    const key = varint(bytes, at);
    const number = key.value >> 3;
    const wireType = key.value & 7;
    at = key.next;
    if (wireType === 0) {
      const read = varint(bytes, at);
      at = read.next;
      yield { number, value: read.value, bytes: new Uint8Array() };
    } else {
      const size = wireType === 2 ? varint(bytes, at) : { value: wireType === 1 ? 8 : 4, next: at };
      at = size.next + size.value;
      yield { number, value: 0, bytes: bytes.subarray(size.next, at) };
    }
  }
}

/** @param {Uint8Array} bytes @param {number} at */
function varint(bytes, at) {
  let value = 0;
  let scale = 1;
  for (let next = at; ; next += 1) {
    const byte = bytes[next] ?? 0;
    value += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) return { value, next: next + 1 };
  }
}
