export type { TranscriptFormat } from './export-transcript.js';
export { exportTranscript, MEDIA_TYPES, TRANSCRIPT_FORMATS } from './export-transcript.js';
