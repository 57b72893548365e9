export type {
  SpeechModel,
  SpeechModelName,
  SpeechModelOptions,
  SpeechModelStream,
} from './speech-model.js';
export {
  createSpeechModel,
  DEFAULT_SPEECH_MODEL,
  SPEECH_MODEL_STATE_WORDS,
  SPEECH_MODEL_WINDOW_SAMPLES,
  SPEECH_MODELS,
} from './speech-model.js';
