export type { CreatedCall } from './answers.js';
export type { AudioRoutingGroup, AudioRoutingParams } from './bodies/audio-routing.js';
export type { CallTarget, ChatTarget } from './bodies/call-target.js';
export type { ChannelQuality, DeviceQuality, DirectionQuality } from './bodies/device-quality.js';
export type {
  AnswerParams,
  RedirectParams,
  RejectParams,
  TransferParams,
} from './bodies/incoming.js';
export type { CallMedia, CallOptions, MediaInfo, Modality } from './bodies/media.js';
export type { CreateCallRequest } from './bodies/new-call.js';
export type {
  InviteParticipantsParams,
  OperationParams,
  ParticipantParams,
  PlayPromptParams,
  RecordingStatus,
  RecordResponseParams,
  SendDtmfTonesParams,
  StartHoldMusicParams,
  UpdateRecordingStatusParams,
} from './bodies/operations.js';
export type { Invitation, Party } from './bodies/party.js';
export type { CallAddress, CallRef, MediaHosting } from './call-ref.js';
export type { CallbackAuthOptions, CallbackVerdict } from './callback-auth.js';
export { CallbackAuth } from './callback-auth.js';
export type {
  CertificateCredential,
  FederatedFileCredential,
  FederatedIdentityCredential,
  GraphCredential,
  ManagedIdentityCredential,
} from './credential.js';
export type { CloudName, GraphEndpoints } from './endpoints.js';
export { CLOUDS, GLOBAL_CLOUD } from './endpoints.js';
export { GraphCalls } from './graph-calls.js';
export type { GraphCallsOptions, GraphVersion, TokenSource } from './graph-client.js';
export type { GraphErrorDetails } from './graph-error.js';
export { GraphError } from './graph-error.js';
export type { GraphTokensOptions } from './graph-tokens.js';
export { GraphTokens } from './graph-tokens.js';
