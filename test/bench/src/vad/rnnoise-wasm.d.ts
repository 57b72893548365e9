declare module '@echogarden/rnnoise-wasm' {
  /** RNNoise, as emscripten exports it; pointers are byte offsets into the heap. */
  export interface Rnnoise {
    readonly HEAPF32: Float32Array;
    _malloc(bytes: number): number;
    _rnnoise_create(model: number): number;
    _rnnoise_destroy(state: number): void;
    /** Takes 10 ms at 48 kHz, in the range of 16-bit samples; returns the probability of voice. */
    _rnnoise_process_frame(state: number, out: number, pcm: number): number;
  }
  export default function createRnnoise(): Promise<Rnnoise>;
}
