export { FrameBatchWriter } from './frame-batch-writer.js';
export type { FrameError, FrameFailure } from './frame-cursor.js';
export { FrameCursor } from './frame-cursor.js';
export { FRAME_HEADER_BYTES, MESSAGE_HEADER_BYTES } from './frame-layout.js';
export type {
  AllocatedMessage,
  AllocateMessage,
  AttachedMessage,
  AttachMessage,
  DrainingMessage,
  HostHealthMessage,
  HostHelloMessage,
  HostLevel,
  HostMessage,
  HostWelcomeMessage,
  MediaKind,
  MediaState,
  MediaStateMessage,
  PingMessage,
  PongMessage,
  RefusedMessage,
  ReleaseMessage,
  SignalingMessage,
} from './host-messages.js';
export type {
  ByeMessage,
  DiscardedMessage,
  DominantSpeakerMessage,
  DrainMessage,
  ErrorMessage,
  FinishedMessage,
  HelloMessage,
  MediaHostMessage,
  MediaPingMessage,
  MediaPongMessage,
  ProgressMessage,
  ResumePosition,
  StreamCloseMessage,
  StreamOpenMessage,
  StreamProgress,
  ToneMessage,
  UnsupportedMessage,
  WelcomeMessage,
  WorkerMessage,
} from './media-messages.js';
export type { ParseFailure, ParseResult } from './parse-message.js';
export {
  parseHostMessage,
  parseMediaHostMessage,
  parseSignalingMessage,
  parseWorkerMessage,
  writeMessage,
} from './parse-message.js';
export type { Kind } from './protocol.js';
export {
  CLOSE,
  CODEC,
  FLAG,
  HOST_SUBPROTOCOL,
  KIND,
  LIMITS,
  MEDIA_SUBPROTOCOL,
  PROTOCOL_VERSION,
} from './protocol.js';
export type {
  ClearedMessage,
  ClearMessage,
  HostSendMessage,
  MarkedMessage,
  MarkMessage,
  SendCapability,
  SendClosedMessage,
  SendCloseMessage,
  SendOpenedMessage,
  SendOpenMessage,
  SendProgressMessage,
  SendStreamProgress,
  WorkerSendMessage,
} from './send-messages.js';
export { sequenceDistance } from './sequence.js';
export type { TickParts } from './ticks.js';
export { isTickText, joinTicks, relativeMs, splitTicks } from './ticks.js';
