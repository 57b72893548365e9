import type { Json } from './json.js';
import { typed } from './json.js';
import type { CallMedia, CallOptions, Modality } from './media.js';
import { mediaConfig } from './media.js';
import type { Invitation, Party } from './party.js';
import { invitation, participantInfo } from './party.js';

export interface AnswerParams {
  /** https address for this call's notifications; fresh and unguessable. */
  readonly callbackUri: string;
  readonly media: CallMedia;
  /** @defaultValue audio */
  readonly modalities?: readonly Modality[];
  /** How many may be recorded through this one call; for policy recording in group mode only. */
  readonly participantCapacity?: number;
  readonly options?: CallOptions;
}

export interface RejectParams {
  /** @defaultValue none */
  readonly reason?: 'none' | 'busy' | 'forbidden';
  readonly callbackUri?: string;
}

export interface RedirectParams {
  /** 1 to 25; they ring together, and the first to answer has the call. */
  readonly targets: readonly Invitation[];
  /** 15 to 90; Graph takes 55 for one target and 60 for several. */
  readonly timeoutSeconds?: number;
  readonly callbackUri?: string;
}

export interface TransferParams {
  /** With `replacesCallId`, a consultative transfer. */
  readonly target: Invitation;
  /** Who is handed over, out of a group call. */
  readonly transferee?: Party;
}

export function answerBody(params: AnswerParams): Json {
  const { callbackUri, media, modalities, participantCapacity, options } = params;
  return {
    callbackUri,
    mediaConfig: mediaConfig(media),
    acceptedModalities: modalities ?? ['audio'],
    participantCapacity,
    callOptions: options === undefined ? undefined : typed('incomingCallOptions', { ...options }),
  };
}

export function rejectBody({ reason, callbackUri }: RejectParams): Json {
  return { reason: reason ?? 'none', callbackUri };
}

export function redirectBody({ targets, timeoutSeconds, callbackUri }: RedirectParams): Json {
  return { targets: targets.map(invitation), timeout: timeoutSeconds, callbackUri };
}

export function transferBody({ target, transferee }: TransferParams): Json {
  return {
    transferTarget: invitation(target),
    transferee: transferee === undefined ? undefined : participantInfo(transferee),
  };
}
