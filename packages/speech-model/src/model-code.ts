import { readFileSync } from 'node:fs';

const CODE = new URL('../silero/artifacts/speech-model.wasm', import.meta.url);
const WEIGHTS = new URL('../silero/artifacts/silero-v6.weights', import.meta.url);

const PAGE_BYTES = 65_536;

/** Everything laid out in the memory starts at a multiple of this: one cache line. */
const ALIGNMENT = 64;

/** The part of `WebAssembly` that is used; the language's own library does not declare it. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: WasmExports };
}

/** What `silero/model.c` exports. */
interface WasmExports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly __heap_base: { readonly value: number };
  weightsBytes(): number;
  streamBytes(): number;
  probabilityOffset(): number;
  waitingOffset(): number;
  samplesOffset(): number;
  run(weights: number, streams: number, count: number): void;
}

/** The model over one memory, in which the states of all streams lie. */
export interface ModelCode {
  /** Never moves and never grows. */
  readonly memory: ArrayBuffer;
  /** Byte offset of the first stream's state, and from one to the next. */
  readonly firstStream: number;
  readonly streamBytes: number;
  /** Where in a stream's state is what; bytes. */
  readonly probabilityOffset: number;
  readonly waitingOffset: number;
  readonly samplesOffset: number;
  /** Byte offsets of the states that `run` is to take; `capacity` of them. */
  readonly due: Int32Array;
  /** Takes a window of each of the first `count` streams in `due`. */
  run(count: number): void;
}

/** Compiles the model and loads its weights: some 10 ms. */
export function loadModelCode(capacity: number): ModelCode {
  const { Module, Instance }: WebAssemblyApi = Reflect.get(globalThis, 'WebAssembly');
  const code = new Instance(new Module(readFileSync(CODE))).exports;
  const weights = readFileSync(WEIGHTS);
  if (weights.length !== code.weightsBytes()) {
    throw new Error(
      `Cannot load the speech model: its weights must have ${code.weightsBytes()} bytes, got ${weights.length}`,
    );
  }
  const streamBytes = aligned(code.streamBytes());
  const firstWeight = aligned(code.__heap_base.value);
  const firstDue = firstWeight + aligned(weights.length);
  const firstStream = firstDue + aligned(capacity * 4);
  const missing = firstStream + capacity * streamBytes - code.memory.buffer.byteLength;
  // Grown once and never again, so that views of it stay good.
  if (missing > 0) code.memory.grow(Math.ceil(missing / PAGE_BYTES));
  const memory = code.memory.buffer;
  new Uint8Array(memory).set(weights, firstWeight);
  return {
    memory,
    firstStream,
    streamBytes,
    probabilityOffset: code.probabilityOffset(),
    waitingOffset: code.waitingOffset(),
    samplesOffset: code.samplesOffset(),
    due: new Int32Array(memory, firstDue, capacity),
    run: (count) => code.run(firstWeight, firstDue, count),
  };
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
