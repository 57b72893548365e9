export type { DominantChange, DominantSpeakerState, SpokenTime } from './dominant-speaker.js';
export { DominantSpeaker } from './dominant-speaker.js';
export type {
  ClosedFinding,
  Finding,
  FindingSink,
  GapCause,
  GapFinding,
  OtherToneFinding,
  SpeechEndedFinding,
  SpeechStartedFinding,
  ToneFinding,
} from './finding.js';
export type { CloseMode } from './frame-ring.js';
export {
  CLOSE_MODE,
  FRAME_PAYLOAD_BYTES,
  FrameRing,
  FrameSlot,
  SLOT_KIND,
} from './frame-ring.js';
export type {
  EpisodeOptions,
  FrameTotals,
  HostTone,
  MediaEventDraft,
  MediaStoppedOptions,
  StreamIdentity,
} from './media-event.js';
export {
  deafEvent,
  findingEvent,
  hostToneEvent,
  mediaStartedEvent,
  mediaStoppedEvent,
  recoveredEvent,
  streamOpenedEvent,
  sumTotals,
} from './media-event.js';
export { isOpusDtx } from './opus-dtx.js';
export { isOpusVoiced } from './opus-voice.js';
export { PCM_RECORD, PcmRecord, PcmRing } from './pcm-ring.js';
export type {
  AudioDecoder,
  CarriesPrevious,
  DecodeBatch,
  DecoderPool,
  SpeechModel,
  SpeechModelStream,
} from './ports.js';
export type { StreamCheckpoint } from './stream-checkpoint.js';
export { parseStreamCheckpoint, WARM_UP_FRAMES } from './stream-checkpoint.js';
export type { CounterName, StreamTotals } from './stream-counters.js';
export { COUNTER, StreamCounters } from './stream-counters.js';
export { StreamPipeline } from './stream-pipeline.js';
export type { Listening, StreamPipelineOptions } from './stream-pipeline-options.js';
export { FRAME_SAMPLES, SESSION_SAMPLE_RATE_HZ } from './stream-pipeline-options.js';
export type { StreamRunnerOptions, Taken } from './stream-runner.js';
export { StreamRunner, TAKEN } from './stream-runner.js';
export type {
  SpeakerAccount,
  SpeakerTalk,
  StretchSink,
  TalkLedgerOptions,
  TalkLedgerState,
  TalkTotals,
} from './talk-ledger.js';
export { TalkLedger } from './talk-ledger.js';
export type { ToneDraft, ToneFolderOptions, ToneFolderState } from './tone-folder.js';
export { LATE_NAMING_WAIT_MS, NAMING_WAIT_MS, SAME_PRESS_MS, ToneFolder } from './tone-folder.js';
export type {
  UtteranceCutterOptions,
  UtteranceResume,
  UtteranceSink,
  UtteranceStart,
} from './utterance-cutter.js';
export { MAX_LOOK_BACK_MS, PRE_ROLL_MS, UtteranceCutter } from './utterance-cutter.js';
