export type { RecognizerUnderTest } from './heard.js';
export type { ConformanceCheck } from './recognizer-conformance.js';
export { recognizerConformance } from './recognizer-conformance.js';
