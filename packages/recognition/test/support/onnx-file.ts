/**
 * Writes ONNX files small enough to be made by hand.
 *
 * Source: github.com/onnx/onnx `onnx/onnx.proto` (numbers of fields).
 */
export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Integers, and lists of them. */
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

export interface OnnxTensor {
  readonly name: string;
  readonly type: 'float' | 'int64';
  readonly dims: readonly number[];
}

export interface OnnxModel {
  readonly metadata: Readonly<Record<string, string | number>>;
  readonly inputs: readonly OnnxTensor[];
  readonly outputs: readonly OnnxTensor[];
  readonly constants: readonly (OnnxTensor & { readonly values: readonly number[] })[];
  readonly nodes: readonly OnnxNode[];
}

const IR_VERSION = 8;
const OPSET = 13;
const ELEMENT_TYPES = { float: 1, int64: 7 } as const;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

export function onnxFile(model: OnnxModel): Buffer {
  const graph = Buffer.concat([
    ...model.nodes.map((node) => bytes(1, nodeProto(node))),
    text(2, 'graph'),
    ...model.constants.map((constant) => bytes(5, tensorProto(constant))),
    ...model.inputs.map((input) => bytes(11, valueInfo(input))),
    ...model.outputs.map((output) => bytes(12, valueInfo(output))),
  ]);
  return Buffer.concat([
    integer(1, IR_VERSION),
    bytes(7, graph),
    bytes(8, Buffer.concat([text(1, ''), integer(2, OPSET)])),
    ...Object.entries(model.metadata).map(([key, value]) =>
      bytes(14, Buffer.concat([text(1, key), text(2, String(value))])),
    ),
  ]);
}

function nodeProto({ op, inputs, outputs, attributes = {} }: OnnxNode): Buffer {
  return Buffer.concat([
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => bytes(5, attributeProto(name, value))),
  ]);
}

function attributeProto(name: string, value: number | readonly number[]): Buffer {
  const fields =
    typeof value === 'number'
      ? [integer(3, value), integer(20, ATTRIBUTE_INT)]
      : [...value.map((each) => integer(8, each)), integer(20, ATTRIBUTE_INTS)];
  return Buffer.concat([text(1, name), ...fields]);
}

function tensorProto({ name, type, dims, values }: OnnxModel['constants'][number]): Buffer {
  const raw =
    type === 'float'
      ? Buffer.from(Float32Array.from(values).buffer)
      : Buffer.from(BigInt64Array.from(values, BigInt).buffer);
  return Buffer.concat([
    ...dims.map((dim) => integer(1, dim)),
    integer(2, ELEMENT_TYPES[type]),
    text(8, name),
    bytes(9, raw),
  ]);
}

function valueInfo({ name, type, dims }: OnnxTensor): Buffer {
  const shape = Buffer.concat(dims.map((dim) => bytes(1, integer(1, dim))));
  const tensor = Buffer.concat([integer(1, ELEMENT_TYPES[type]), bytes(2, shape)]);
  return Buffer.concat([text(1, name), bytes(2, bytes(1, tensor))]);
}

function integer(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

function text(field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value));
}

function bytes(field: number, value: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(value.length), value]);
}

/** Of an integer that is not negative. */
function varint(value: number): Buffer {
  const out: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...out, rest]);
    out.push((rest % 128) | 128);
  }
}
