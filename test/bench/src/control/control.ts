import { createRequire } from 'node:module';

declare const opaque: unique symbol;
/** A decoder of the system's libopus. */
export interface ControlDecoder {
  readonly [opaque]: 'decoder';
}
/** An encoder of the system's libopus. */
export interface ControlEncoder {
  readonly [opaque]: 'encoder';
}

/** What `control/control.c` exports: the system's libopus in C, without anything of ours around it. */
export interface Control {
  /** CPU time of the calling thread, ns. */
  cpuNs(): number;
  version(): string;
  createDecoder(sampleRateHz: number, channels: number): ControlDecoder;
  resetDecoder(decoder: ControlDecoder): void;
  /** Samples per channel, or a negative error. */
  decode(decoder: ControlDecoder, packet: Uint8Array, pcm: Int16Array, samples: number): number;
  /**
   * Decodes packet after packet in a C loop, the i-th being `bytes[offsets[i], offsets[i + 1])`.
   *
   * @param pcm filled round and round, `samples` a packet
   * @returns CPU time, ns
   */
  decodeAll(
    decoder: ControlDecoder,
    bytes: Uint8Array,
    offsets: Uint32Array,
    pcm: Int16Array,
    samples: number,
  ): number;
  /** @param application `OPUS_APPLICATION_*` */
  createEncoder(sampleRateHz: number, channels: number, application: number): ControlEncoder;
  setEncoder(encoder: ControlEncoder, request: number, value: number): void;
  /** Bytes of the packet written to `out`. */
  encode(encoder: ControlEncoder, pcm: Int16Array, samples: number, out: Uint8Array): number;
}

/** @param file from `buildControl`; may be loaded in any number of threads. */
export function loadControl(file: string): Control {
  return createRequire(import.meta.url)(file);
}
