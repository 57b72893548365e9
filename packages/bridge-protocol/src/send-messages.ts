// Control messages of the way back, audio into the meeting (README §8). Only on links whose
// `hello` and `welcome` both had `send`.

/** What a host can send into the meeting; its presence in `hello` says that it can. */
export interface SendCapability {
  readonly codecs: readonly ('opus' | 'pcm16')[];
  /** Send streams at once, 1 to 64; more than one are mixed. */
  readonly maxStreams: number;
  /** Most frames that the host buffers for one stream. */
  readonly bufferFrames: number;
}

/** Opens a send stream, or continues one after a reconnect; answered by `sendOpened` or `sendClosed`. */
export interface SendOpenMessage {
  readonly type: 'sendOpen';
  /** 1 to 65535; a number space apart from that of the streams that are heard. */
  readonly streamId: number;
  /** What is being played: the same on later links and other workers. */
  readonly sendId: string;
  readonly codec: 'opus' | 'pcm16';
  /** Of the encoded audio. 16 000 for `pcm16`. */
  readonly sampleRateHz: number;
  /** Sequence of the first frame of the whole stream. */
  readonly firstSequence: number;
}

/** No frame follows: play to the end, then say `sendClosed`. */
export interface SendCloseMessage {
  readonly type: 'sendClose';
  readonly streamId: number;
  /** One past the last frame. */
  readonly nextSequence: number;
}

/** Asks to be told when all before `sequence` is over; answered by `marked`. */
export interface MarkMessage {
  readonly type: 'mark';
  readonly streamId: number;
  readonly name: string;
  readonly sequence: number;
}

/** Throws away what is buffered and not played; answered by `cleared`. */
export interface ClearMessage {
  readonly type: 'clear';
  readonly streamId: number;
}

/** The way back, worker → host. */
export type WorkerSendMessage = SendOpenMessage | SendCloseMessage | MarkMessage | ClearMessage;

/** A send stream is open. */
export interface SendOpenedMessage {
  readonly type: 'sendOpened';
  readonly streamId: number;
  /** From where to send: past the first where the host continues a stream. */
  readonly nextSequence: number;
  /** Frames that may be sent from there. */
  readonly creditFrames: number;
}

/** How far the host is with one send stream; positions are next sequences. */
export interface SendStreamProgress {
  readonly streamId: number;
  readonly received: number;
  /** Every frame before it is played or thrown away. */
  readonly played: number;
  /** Frames that may be sent past `received`. */
  readonly creditFrames: number;
  /** Frames of silence put in because nothing was there, modulo 2^32. */
  readonly underrunFrames?: number;
}

/** How far the host is, and how much more may come, for every open send stream. */
export interface SendProgressMessage {
  readonly type: 'sendProgress';
  readonly streams: readonly SendStreamProgress[];
}

/** A mark came true. */
export interface MarkedMessage {
  readonly type: 'marked';
  readonly streamId: number;
  readonly name: string;
  readonly outcome: 'played' | 'cleared';
  /** The host's media clock at that time. */
  readonly clockTicks: string;
}

/** What a `clear` threw away. */
export interface ClearedMessage {
  readonly type: 'cleared';
  readonly streamId: number;
  readonly firstSequence: number;
  /** 0 when everything was played already. */
  readonly frames: number;
}

/** A send stream is over, or was refused; its number is free. */
export interface SendClosedMessage {
  readonly type: 'sendClosed';
  readonly streamId: number;
  /** Snake_case: `played`, `cleared`, or why the host ended it. */
  readonly reason: string;
  /** One past the last frame that was played. */
  readonly played: number;
}

/** The way back, host → worker. */
export type HostSendMessage =
  | SendOpenedMessage
  | SendProgressMessage
  | MarkedMessage
  | ClearedMessage
  | SendClosedMessage;
