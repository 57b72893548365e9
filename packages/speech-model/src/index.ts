export type { SpeechModel, SpeechModelOptions, SpeechModelStream } from './speech-model.js';
export {
  createSpeechModel,
  SPEECH_MODEL_SAMPLE_RATE_HZ,
  SPEECH_MODEL_STATE_WORDS,
  SPEECH_MODEL_WINDOW_SAMPLES,
} from './speech-model.js';
