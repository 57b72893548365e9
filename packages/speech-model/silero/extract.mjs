// @ts-check
// Packs the weights of Silero VAD v6 (16 kHz) from its ONNX file into the layout that model.c reads.

/** What of protobuf and ONNX (onnx.proto3) is needed to find the initializers of a graph. */
const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR = { dims: 1, name: 8, raw: 9, floats: 4 };

const UNITS = 128;
const POINTS = 256;

/** @typedef {{ dims: number[], values: Float32Array }} Tensor */

/**
 * @param {Uint8Array} onnx
 * @returns {Float32Array} laid out as `Weights` in model.c
 */
export function packWeights(onnx) {
  const tensors = initializers(onnx);
  const basis = tensor(tensors, 'model.stft.forward_basis_buffer', [258, 1, 256]);
  checkBasis(basis);
  const conv = [
    packConv(tensors, 0, 128, 129, [0, 1, 2]),
    packConv(tensors, 1, 64, 128, [0, 1, 2]),
    // Of its two frames, and the one after, the taps that fall on zeros are left out.
    packConv(tensors, 2, 64, 64, [1, 2]),
    packConv(tensors, 3, 128, 64, [1]),
  ];
  return Float32Array.from([
    ...basis.subarray(0, POINTS),
    ...bitReversed(),
    ...Array.from({ length: POINTS / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / POINTS)),
    ...Array.from({ length: POINTS / 2 }, (_, k) => -Math.sin((2 * Math.PI * k) / POINTS)),
    ...conv.flat(),
    ...packLstm(tensors),
    ...tensor(tensors, 'model.decoder.decoder.2.weight', [1, UNITS, 1]),
    ...tensor(tensors, 'model.decoder.decoder.2.bias', [1]),
    ...new Float32Array(7),
  ]);
}

/** @param {Map<string, Tensor>} tensors @param {number} layer @param {number} outputs @param {number} inputs @param {number[]} taps */
function packConv(tensors, layer, outputs, inputs, taps) {
  const name = `model.encoder.${layer}.reparam_conv`;
  const weight = tensor(tensors, `${name}.weight`, [outputs, inputs, 3]);
  const packed = packBlocks(outputs, taps.length * inputs, (output, k) => {
    const tap = taps[Math.floor(k / inputs)] ?? 0;
    return weight[(output * inputs + (k % inputs)) * 3 + tap] ?? 0;
  });
  return [...packed, ...tensor(tensors, `${name}.bias`, [outputs])];
}

/** @param {Map<string, Tensor>} tensors */
function packLstm(tensors) {
  const name = 'model.decoder.rnn';
  const gates = 4 * UNITS;
  const ofInput = tensor(tensors, `${name}.weight_ih`, [gates, UNITS]);
  const ofHidden = tensor(tensors, `${name}.weight_hh`, [gates, UNITS]);
  const inputBias = tensor(tensors, `${name}.bias_ih`, [gates]);
  const hiddenBias = tensor(tensors, `${name}.bias_hh`, [gates]);
  const packed = packBlocks(gates, 2 * UNITS, (gate, k) =>
    k < UNITS ? (ofInput[gate * UNITS + k] ?? 0) : (ofHidden[gate * UNITS + k - UNITS] ?? 0),
  );
  return [...packed, ...inputBias.map((bias, gate) => bias + (hiddenBias[gate] ?? 0))];
}

/** Per 8 outputs, for each input 8 weights. @param {number} outputs @param {number} inputs @param {(output: number, input: number) => number} weightOf */
function packBlocks(outputs, inputs, weightOf) {
  const packed = new Float32Array(outputs * inputs);
  let next = 0;
  for (let block = 0; block < outputs; block += 8) {
    for (let input = 0; input < inputs; input += 1) {
      for (let lane = 0; lane < 8; lane += 1) packed[next++] = weightOf(block + lane, input);
    }
  }
  return packed;
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

function bitReversed() {
  return Array.from({ length: POINTS / 2 }, (_, i) => {
    let reversed = 0;
    for (let bit = 0; bit < 7; bit += 1) reversed |= ((i >> bit) & 1) << (6 - bit);
    return reversed;
  });
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
