import { randomUUID } from 'node:crypto';
import type { GraphTone } from '@earshot/dtmf';
import type { Json } from './json.js';
import type { MediaInfo } from './media.js';
import { mediaPrompt } from './media.js';
import type { Invitation } from './party.js';
import { invitation } from './party.js';

/** Parameters of an operation, which Graph answers and tells of later. */
export interface OperationParams {
  /** Echoed by Graph; up to 256 characters. @defaultValue a random GUID */
  readonly clientContext?: string;
}

export interface PlayPromptParams extends OperationParams {
  /** 1 to 20, played one after another. */
  readonly prompts: readonly MediaInfo[];
}

export interface RecordResponseParams extends OperationParams {
  /** Played before. */
  readonly prompt?: MediaInfo;
  /** A key ends the prompt. */
  readonly bargeInAllowed?: boolean;
  /** How long to wait for someone to speak, 1 to 120. @defaultValue 5 */
  readonly initialSilenceTimeoutSeconds?: number;
  /** The pause that ends the recording, 1 to 120. @defaultValue 5 */
  readonly maxSilenceTimeoutSeconds?: number;
  /** 1 to 120. @defaultValue 5 */
  readonly maxRecordDurationSeconds?: number;
  /** @defaultValue true */
  readonly playBeep?: boolean;
  /** Keys that end the recording, such as `#`. */
  readonly stopTones?: readonly string[];
}

export interface SendDtmfTonesParams extends OperationParams {
  readonly tones: readonly (GraphTone | 'flash')[];
  readonly delayBetweenTonesMs?: number;
}

/** `updateRecordingStatus` knows these. */
export type RecordingStatus = 'notRecording' | 'recording' | 'failed';

export interface UpdateRecordingStatusParams extends OperationParams {
  readonly status: RecordingStatus;
}

export interface InviteParticipantsParams extends OperationParams {
  /** 1 to 5. */
  readonly participants: readonly Invitation[];
}

export interface ParticipantParams extends OperationParams {
  readonly participantId: string;
}

export interface StartHoldMusicParams extends ParticipantParams {
  /** Played instead of Teams' music; in calls with service-hosted media. */
  readonly customPrompt?: MediaInfo;
}

export function operationBody({ clientContext }: OperationParams): Json {
  return { clientContext: clientContext ?? randomUUID() };
}

export function playPromptBody(params: PlayPromptParams): Json {
  return { ...operationBody(params), prompts: params.prompts.map(mediaPrompt) };
}

export function recordResponseBody(params: RecordResponseParams): Json {
  return {
    ...operationBody(params),
    prompts: params.prompt === undefined ? undefined : [mediaPrompt(params.prompt)],
    bargeInAllowed: params.bargeInAllowed,
    initialSilenceTimeoutInSeconds: params.initialSilenceTimeoutSeconds,
    maxSilenceTimeoutInSeconds: params.maxSilenceTimeoutSeconds,
    maxRecordDurationInSeconds: params.maxRecordDurationSeconds,
    playBeep: params.playBeep,
    stopTones: params.stopTones,
  };
}

export function sendDtmfTonesBody(params: SendDtmfTonesParams): Json {
  const { tones, delayBetweenTonesMs } = params;
  return { ...operationBody(params), tones, delayBetweenTonesMs };
}

export function updateRecordingStatusBody(params: UpdateRecordingStatusParams): Json {
  return { ...operationBody(params), status: params.status };
}

export function inviteBody(params: InviteParticipantsParams): Json {
  return { ...operationBody(params), participants: params.participants.map(invitation) };
}

export function startHoldMusicBody(params: StartHoldMusicParams): Json {
  const { customPrompt } = params;
  return {
    ...operationBody(params),
    customPrompt: customPrompt === undefined ? undefined : mediaPrompt(customPrompt),
  };
}
