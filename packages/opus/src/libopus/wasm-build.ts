import { readFileSync } from 'node:fs';
import type { Codec, CodecBuild } from './codec.js';
import { aligned } from './codec.js';

const FILE = new URL('../../libopus/artifacts/libopus.wasm', import.meta.url);
const PAGE_BYTES = 65_536;

/** The part of `WebAssembly` that is used; the language's own library does not declare it. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: WasmExports };
}

/** What `libopus/wasm.c` exports. */
interface WasmExports extends Omit<Codec, 'memory' | 'firstFree'> {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly __heap_base: { readonly value: number };
  version(): number;
  decoderBytes(channels: number): number;
  encoderBytes(channels: number): number;
}

/** Compiles libopus.wasm: some 10 ms, once per engine; pools share the code, not the memory. */
export function loadWasmBuild(): CodecBuild {
  const { Module, Instance }: WebAssemblyApi = Reflect.get(globalThis, 'WebAssembly');
  const module = new Module(readFileSync(FILE));
  const probe = new Instance(module).exports;
  return {
    version: textAt(probe.memory.buffer, probe.version()),
    decoderBytes: (channels) => probe.decoderBytes(channels),
    encoderBytes: (channels) => probe.encoderBytes(channels),
    createCodec: (bytes) => createCodec(new Instance(module).exports, bytes),
  };
}

function createCodec(exports: WasmExports, bytes: number): Codec {
  const firstFree = aligned(exports.__heap_base.value);
  const missing = firstFree + bytes - exports.memory.buffer.byteLength;
  // Grown once and never again, so that views of it stay good.
  if (missing > 0) exports.memory.grow(Math.ceil(missing / PAGE_BYTES));
  const { initDecoder, resetDecoder, decode, decodeBatch } = exports;
  const { initEncoder, setEncoder, encoderLookahead, encode } = exports;
  return {
    memory: exports.memory.buffer,
    firstFree,
    initDecoder,
    resetDecoder,
    decode,
    decodeBatch,
    initEncoder,
    setEncoder,
    encoderLookahead,
    encode,
  };
}

function textAt(memory: ArrayBuffer, offset: number): string {
  const bytes = new Uint8Array(memory, offset);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}
