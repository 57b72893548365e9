declare module '@echogarden/fvad-wasm' {
  /** libfvad, as emscripten exports it; pointers are byte offsets into the heap. */
  export interface Fvad {
    readonly HEAP16: Int16Array;
    _malloc(bytes: number): number;
    _fvad_new(): number;
    _fvad_free(detector: number): void;
    _fvad_set_mode(detector: number, mode: number): number;
    _fvad_set_sample_rate(detector: number, sampleRateHz: number): number;
    /** @returns 1 for voice, 0 for none, −1 for a frame of a wrong size */
    _fvad_process(detector: number, pcm: number, samples: number): number;
  }
  export default function createFvad(): Promise<Fvad>;
}
