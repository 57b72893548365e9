export type { ReadSamples } from './resampler.js';
export { Resampler } from './resampler.js';
export type { ParseWavOptions, RefuseWav, Wav, WavBytes, WavEncoding } from './wav.js';
export { inMemory, parseWav, readChannel, readMono } from './wav.js';
export { wavHeader, wavStreamHeader, writeWav } from './write-wav.js';
