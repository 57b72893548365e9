// Control messages of the host link (media host ↔ signaling). Ids are 1 to 128 visible ASCII
// characters.
import type { ErrorMessage } from './media-messages.js';

/** The host's first message; signaling answers `welcome` or closes. */
export interface HostHelloMessage {
  readonly type: 'hello';
  readonly version: 1;
  /** Stable over restarts of the host; one link per id. */
  readonly hostId: string;
  /** Calls that the host can carry at once. */
  readonly capacity: number;
  readonly mediaKinds: readonly MediaKind[];
  /** Of the media platform, for support. */
  readonly sdkVersion?: string;
}

/** Which audio a host can hear: one mix of all, or the separate sources. */
export type MediaKind = 'unmixed' | 'mixed';

/** How loaded a host is; the names are those of the Teams media platform. */
export type HostLevel = 'normal' | 'heavilyLoaded' | 'overloaded';

/** Sent whenever it changes, and after `welcome`. */
export interface HostHealthMessage {
  readonly type: 'health';
  readonly activeCalls: number;
  readonly level: HostLevel;
}

/** Answer to `allocate`. */
export interface AllocatedMessage {
  readonly type: 'allocated';
  readonly requestId: string;
  /** The host's name for the media session. */
  readonly mediaId: string;
  /** The media configuration for Graph's `appHostedMediaConfig.blob`; opaque. */
  readonly blob: string;
}

/** The host can't do what a request asks. */
export interface RefusedMessage {
  readonly type: 'refused';
  readonly requestId: string;
  /** Snake_case. */
  readonly code: string;
  readonly message: string;
}

/** The media link to the worker is open (its `welcome` came). */
export interface AttachedMessage {
  readonly type: 'attached';
  /** Of the `attach`; absent when the host re-attached by itself. */
  readonly requestId?: string;
  readonly mediaId: string;
  readonly epoch: number;
}

/** State of the Teams leg of a media session. */
export type MediaState = 'inactive' | 'active' | 'failed' | 'ended';

/** The Teams leg of a media session changed. */
export interface MediaStateMessage {
  readonly type: 'mediaState';
  readonly mediaId: string;
  readonly state: MediaState;
  readonly detail?: string;
}

/** The host takes no new calls; those it has go on. */
export interface DrainingMessage {
  readonly type: 'draining';
}

/** Asks for a `pong` with the same id; both sides send it. */
export interface PingMessage {
  readonly type: 'ping';
  readonly id: number;
}

/** Answer to `ping`. */
export interface PongMessage {
  readonly type: 'pong';
  readonly id: number;
}

/** Host → signaling. */
export type HostMessage =
  | HostHelloMessage
  | HostHealthMessage
  | AllocatedMessage
  | RefusedMessage
  | AttachedMessage
  | MediaStateMessage
  | DrainingMessage
  | PingMessage
  | PongMessage;

/** The link is open. */
export interface HostWelcomeMessage {
  readonly type: 'welcome';
  readonly version: 1;
  readonly pingIntervalMs: number;
}

/** Asks for a media session and its blob, for a call about to be made. */
export interface AllocateMessage {
  readonly type: 'allocate';
  readonly requestId: string;
  readonly callId: string;
}

/** Sends a media session's audio to a worker; a higher epoch replaces a lower one. */
export interface AttachMessage {
  readonly type: 'attach';
  readonly requestId: string;
  readonly mediaId: string;
  readonly callId: string;
  /** `ws:` or `wss:` URL of the worker's media link. */
  readonly workerUrl: string;
  /** Bearer token for that URL; secret, short-lived. */
  readonly token: string;
  readonly epoch: number;
  /** W3C Trace Context of this attachment, for the host to hand on in `hello`. */
  readonly traceparent?: string;
}

/** The media session is over; unknown ids are ignored. */
export interface ReleaseMessage {
  readonly type: 'release';
  readonly mediaId: string;
}

/** Signaling → host. */
export type SignalingMessage =
  | HostWelcomeMessage
  | AllocateMessage
  | AttachMessage
  | ReleaseMessage
  | PingMessage
  | PongMessage
  | ErrorMessage;
