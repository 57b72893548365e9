import { createRequire } from 'node:module';

/** The C++ object behind one `OpusScript`: an encoder and a decoder of one rate. */
export interface OpusHandler {
  /**
   * Turns `byteCount` 16-bit slots, one byte of PCM in each, into half as many samples in place,
   * then encodes. With `byteCount` 0 the samples at `pcmPointer` are taken as they are.
   */
  _encode(pcmPointer: number, byteCount: number, packetPointer: number, frameSize: number): number;
  /** Decodes, then writes each sample as two 16-bit slots: its low byte, its high byte. */
  _decode(packetPointer: number, byteCount: number, outPointer: number): number;
  _encoder_ctl(request: number, argument: number): number;
  _decoder_ctl(request: number, argument: number): number;
}

/** The part of opusscript's WebAssembly module that is used. */
export interface OpusModule {
  // The glue replaces these when the memory grows: read them anew after each call, keep none.
  readonly HEAPU8: Uint8Array;
  readonly HEAP16: Int16Array;
  readonly HEAP32: Int32Array;
  readonly OpusScriptHandler: {
    new (sampleRateHz: number, channels: number, application: number): OpusHandler;
    destroy_handler(handler: OpusHandler): void;
  };
  _malloc(byteCount: number): number;
}

/** Instantiates libopus 1.4: each call makes its own module with its own memory. */
export function loadOpusModule(): OpusModule {
  const load = createRequire(import.meta.url);
  const factory: () => OpusModule = load('opusscript/build/opusscript_native_wasm.js');
  return factory();
}
