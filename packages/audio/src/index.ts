export type { ConcealerOptions } from './concealer.js';
export { Concealer } from './concealer.js';
export type { SampleRateHz } from './frame.js';
export { PTIME_MS, samplesPerFrame } from './frame.js';
export { GapTimeline } from './gap-timeline.js';
export { measureRmsDbfs, rmsDbfs, SILENCE_DBFS } from './level.js';
export type { SpeechActivityOptions, SpeechTransition } from './speech-activity.js';
export { SPEECH_STATE_NUMBERS, SpeechActivity } from './speech-activity.js';
