export type { CallTone, CallToneKind } from './call-tone.js';
export { CALL_TONE_KINDS } from './call-tone.js';
export type { CallToneDetectorOptions } from './call-tone-detector.js';
export { CALL_TONE_STATE_NUMBERS, CallToneDetector } from './call-tone-detector.js';
