export type { AzureEntraTokens } from './azure-speech/azure-credential.js';
export type { AzureSpeechOptions } from './azure-speech/azure-speech.js';
export { createAzureSpeech } from './azure-speech/azure-speech.js';
export type { DeepgramOptions } from './deepgram/deepgram.js';
export { createDeepgram } from './deepgram/deepgram.js';
export type { FailoverOptions, FailoverRecognizer, FailoverTimes } from './failover/failover.js';
export { createFailover, failoverTimes } from './failover/failover.js';
export type { FailoverSwitch } from './failover/failover-session.js';
export type { OpenAiTranscriptionOptions } from './openai/openai.js';
export { createOpenAiTranscription } from './openai/openai.js';
export type {
  RecognizedWord,
  Recognizer,
  RecognizerCapabilities,
  RecognizerFault,
  RecognizerResult,
  RecognizerSession,
  RecognizerSessionOptions,
  RecognizerTask,
} from './recognizer.js';
export { RECOGNIZER_SAMPLE_RATE_HZ } from './recognizer.js';
export type { SherpaOnnxOptions } from './sherpa-onnx/sherpa-onnx.js';
export { checkSherpaModel, createSherpaOnnx } from './sherpa-onnx/sherpa-onnx.js';
export type { SoundSwallowerOptions } from './soundswallower/soundswallower.js';
export { createSoundSwallower } from './soundswallower/soundswallower.js';
