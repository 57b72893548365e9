import { createRequire } from 'node:module';
import { CodedError } from '@earshot/async';
import type { Codec, CodecBuild } from './codec.js';
import { ALIGNMENT } from './codec.js';

/** What `libopus/native.c` exports: as `Codec`, with the memory as the first argument. */
type NativeExports = {
  readonly [Name in keyof CodecCalls]: (
    memory: ArrayBuffer,
    ...numbers: Parameters<CodecCalls[Name]>
  ) => ReturnType<CodecCalls[Name]>;
} & {
  version(): string;
  decoderBytes(channels: number): number;
  encoderBytes(channels: number): number;
};

type CodecCalls = Omit<Codec, 'memory' | 'firstFree'>;

/**
 * Loads the machine code for this machine.
 *
 * @throws CodedError `opus_engine_unavailable` where there is none that loads.
 */
export function loadNativeBuild(): CodecBuild {
  const addon = loadAddon();
  return {
    version: addon.version(),
    decoderBytes: (channels) => addon.decoderBytes(channels),
    encoderBytes: (channels) => addon.encoderBytes(channels),
    createCodec: (bytes) => createCodec(addon, bytes),
  };
}

function loadAddon(): NativeExports {
  const target = `${process.platform}-${process.arch}`;
  const load = createRequire(import.meta.url);
  try {
    return load(`../../libopus/artifacts/libopus-${target}.node`);
  } catch (cause) {
    throw new CodedError(
      'opus_engine_unavailable',
      `Cannot use the native Opus engine: a build for ${target} must load, got ${messageOf(cause)}`,
      { cause, fix: 'Use the engine wasm, or build it: npm run build:libopus' },
    );
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
}

function createCodec(addon: NativeExports, bytes: number): Codec {
  // The first line stays free: an offset of 0 stands for no state.
  const memory = new ArrayBuffer(ALIGNMENT + bytes);
  return {
    memory,
    firstFree: ALIGNMENT,
    initDecoder: (...numbers) => addon.initDecoder(memory, ...numbers),
    resetDecoder: (state) => addon.resetDecoder(memory, state),
    decode: (state, packet, length, pcm, samples, fec) =>
      addon.decode(memory, state, packet, length, pcm, samples, fec),
    decodeBatch: (states, lengths, results, count, packets, packetStride, pcm, pcmStride, max) =>
      addon.decodeBatch(
        memory,
        states,
        lengths,
        results,
        count,
        packets,
        packetStride,
        pcm,
        pcmStride,
        max,
      ),
    initEncoder: (...numbers) => addon.initEncoder(memory, ...numbers),
    setEncoder: (...numbers) => addon.setEncoder(memory, ...numbers),
    encoderLookahead: (state) => addon.encoderLookahead(memory, state),
    encode: (state, pcm, samples, packet, maxBytes) =>
      addon.encode(memory, state, pcm, samples, packet, maxBytes),
  };
}
