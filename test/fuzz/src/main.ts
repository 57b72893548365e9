export type { FuzzOptions } from './fuzz-options.js';
export { parseFuzzOptions } from './fuzz-options.js';
export type { FuzzSummary } from './fuzz-opus.js';
export { fuzzOpus } from './fuzz-opus.js';
export { runFuzz } from './run-fuzz.js';
