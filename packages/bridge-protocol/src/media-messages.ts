// Control messages of the media link (media host ↔ media worker). Ticks are u64 of 100 ns on
// the host's media clock, in canonical decimal; sequences are u32; ids are 1 to 128 visible
// ASCII characters.
import type { HostSendMessage, SendCapability, WorkerSendMessage } from './send-messages.js';

/** The host's first message; the worker answers `welcome` or closes. */
export interface HelloMessage {
  readonly type: 'hello';
  readonly version: 1;
  /** Must be the call of the token. */
  readonly callId: string;
  readonly mediaId: string;
  /** Must be the epoch of the token. */
  readonly epoch: number;
  /** Ticks at which the call's media time is 0; never changes during a call. */
  readonly mediaEpochTicks: string;
  /** The host's media clock at the time of sending. */
  readonly clockNowTicks: string;
  /** How much audio past the durable position the host keeps for a replay; 0 for none. */
  readonly replayWindowMs: number;
  /** The media clock does not run at the pace of real time. */
  readonly virtualTime?: boolean;
  /** The host can send audio into the meeting. */
  readonly send?: SendCapability;
  /** The `attach`'s, as it was. */
  readonly traceparent?: string;
}

/** Announces a stream, before its first frame and again on every new link. */
export interface StreamOpenMessage {
  readonly type: 'streamOpen';
  /** 1 to 65535, free on this link. */
  readonly streamId: number;
  readonly kind: 'mixed' | 'unmixed';
  /** The source's MSI as Graph's roster spells it; absent when unknown or mixed. */
  readonly sourceId?: string;
  readonly codec: 'opus' | 'pcm16';
  /** Of the captured audio. 16 000 for `pcm16`. */
  readonly sampleRateHz: number;
  /** Sequence of the first frame to be sent. */
  readonly firstSequence: number;
}

/** The stream ends; its id may be opened again. */
export interface StreamCloseMessage {
  readonly type: 'streamClose';
  readonly streamId: number;
  /** One past the last frame slot: frames missing at the end are known by it. */
  readonly nextSequence: number;
}

/** A tone that the host's media platform reported (its ToneReceived). */
export interface ToneMessage {
  readonly type: 'tone';
  /** As Graph spells it: `tone0`…`tone9`, `star`, `pound`, `a`…`d`, `flash`. */
  readonly tone: string;
  readonly sourceId?: string;
  readonly captureTicks: string;
}

/** Who dominates from now on; null for nobody. */
export interface DominantSpeakerMessage {
  readonly type: 'dominantSpeaker';
  readonly sourceId: string | null;
  readonly captureTicks: string;
}

/** Frame slots that the host had and gave up; they never come. */
export interface DiscardedMessage {
  readonly type: 'discarded';
  readonly streamId: number;
  readonly firstSequence: number;
  readonly frames: number;
  /** Snake_case, such as `overflow`. */
  readonly reason: string;
}

/** Asks for a `pong` with the same id. */
export interface MediaPingMessage {
  readonly type: 'ping';
  readonly id: number;
  readonly clockNowTicks: string;
}

/** The host sends no more; the worker answers `finished` and closes with 1000. */
export interface ByeMessage {
  readonly type: 'bye';
  readonly reason: 'callEnded' | 'released' | 'shutdown' | 'reattach';
}

/** Host → worker. */
export type MediaHostMessage =
  | HelloMessage
  | StreamOpenMessage
  | StreamCloseMessage
  | ToneMessage
  | DominantSpeakerMessage
  | DiscardedMessage
  | MediaPingMessage
  | ByeMessage
  | HostSendMessage;

/** From where a stream is to be sent. */
export interface ResumePosition {
  readonly streamId: number;
  /** Next sequence that the worker needs: everything before it is safe. */
  readonly durableSequence: number;
}

/** The link is open: the host may send streams. */
export interface WelcomeMessage {
  readonly type: 'welcome';
  readonly version: 1;
  readonly workerId: string;
  /** Frames of each stream that the host may have in flight. */
  readonly creditFrames: number;
  readonly pingIntervalMs: number;
  readonly resume: readonly ResumePosition[];
  /** The worker knows the way back; only after a `hello` with `send`. */
  readonly send?: boolean;
  /** Bearer token of the next dial after a break; good once, while the attachment lives. */
  readonly resumeToken?: string;
}

/** How far the worker is with one stream; both are next expected sequences. */
export interface StreamProgress {
  readonly streamId: number;
  readonly received: number;
  /** Everything before it may be forgotten: its events are stored. */
  readonly durable: number;
  /** Slots before `received` that never came, modulo 2^32. */
  readonly lost?: number;
  /** Frames that came and found no room, modulo 2^32. */
  readonly dropped?: number;
}

/** How far the worker is, and how much more may come. */
export interface ProgressMessage {
  readonly type: 'progress';
  readonly streams: readonly StreamProgress[];
  readonly creditFrames: number;
}

/** The worker is leaving: re-attach elsewhere. */
export interface DrainMessage {
  readonly type: 'drain';
  readonly reason: string;
}

/** Answer to `ping`. */
export interface MediaPongMessage {
  readonly type: 'pong';
  readonly id: number;
  /** Echo of the ping's, for clock measurements. */
  readonly clockNowTicks?: string;
}

/** A message was understood as JSON but its type is unknown; it was ignored. */
export interface UnsupportedMessage {
  readonly type: 'unsupported';
  readonly what: string;
}

/** Tells the host what is wrong; the link stays open unless it is closed too. */
export interface ErrorMessage {
  readonly type: 'error';
  readonly code: string;
  readonly message: string;
}

/** Everything received is processed and its events are published; a close follows. */
export interface FinishedMessage {
  readonly type: 'finished';
}

/** Worker → host. */
export type WorkerMessage =
  | WelcomeMessage
  | ProgressMessage
  | DrainMessage
  | MediaPongMessage
  | UnsupportedMessage
  | ErrorMessage
  | FinishedMessage
  | WorkerSendMessage;
