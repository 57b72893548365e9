import { CodedError } from '@earshot/async';

/** A play is over in the last three. */
export type PlayState = 'queued' | 'playing' | 'played' | 'cleared' | 'failed';

/** One audio that is to be played into a call's meeting; plain JSON. */
export interface PlayRecord {
  /** Also its `sendId` on the media link. */
  readonly playId: string;
  readonly callId: string;
  readonly state: PlayState;
  /** Unix time, ms. */
  readonly createdAtMs: number;
  /** Frames of 20 ms in the audio. */
  readonly frames: number;
  /** Of the encoded audio: one that Opus has. */
  readonly sampleRateHz: number;
  /** Of what was posted, to know the same request again; hexadecimal. */
  readonly digest: string;
  /** Of the worker that opened it at the media host last; absent when none did. */
  readonly epoch?: number;
  /** The host has all of it: should it have forgotten the stream later, it has played it. */
  readonly isReceived?: boolean;
  readonly clearRequested?: boolean;
  /** Snake_case, when it failed. */
  readonly reason?: string;
  /** Frames that were heard, once it is over. */
  readonly playedFrames?: number;
}

/** Whether nothing more will be heard of it. */
export function isOver({ state }: PlayRecord): boolean {
  return state !== 'queued' && state !== 'playing';
}

/** @throws CodedError `corrupt_play_record`. */
export function parsePlayRecord(text: string): PlayRecord {
  const value: unknown = JSON.parse(text);
  if (isPlayRecord(value)) return value;
  throw new CodedError(
    'corrupt_play_record',
    'Cannot read a play: its record must have ids, a state and frames, got another object',
  );
}

function isPlayRecord(value: unknown): value is PlayRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    'playId' in value &&
    typeof value.playId === 'string' &&
    'callId' in value &&
    typeof value.callId === 'string' &&
    'state' in value &&
    typeof value.state === 'string' &&
    'frames' in value &&
    typeof value.frames === 'number'
  );
}
