import type { RecognizerCapabilities } from '@earshot/recognition';

/** Of a recognizer on this machine that tells finals of any language, and nothing else. */
export const PLAIN_DICTATION: RecognizerCapabilities = {
  tasks: ['dictation'],
  partials: false,
  wordTimes: false,
  confidence: false,
  languages: 'any',
  runs: 'local',
};
