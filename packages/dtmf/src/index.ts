export type { Digit } from './digit.js';
export { DIGITS, toneFrequencies } from './digit.js';
export type {
  Collection,
  CollectionSettings,
  DigitCollectorState,
  KeyPress,
} from './digit-collector.js';
export { DigitCollector } from './digit-collector.js';
export type { DtmfDetectorOptions } from './dtmf-detector.js';
export { DtmfDetector, TONE_STATE_NUMBERS } from './dtmf-detector.js';
export type { GraphTone } from './graph-tone.js';
export { digitOfGraphTone, graphToneOf } from './graph-tone.js';
export { HalfBandDecimator } from './half-band.js';
export type { DetectedTone } from './tone-candidate.js';
export type { ToneOptions, ToneSequenceOptions, ToneShape } from './tone-generator.js';
export { generateSequence, generateTone } from './tone-generator.js';
