// What the bench of the bridge and its two processes tell each other over IPC.

/** Where a receiver takes messages, and what it does with them. */
export const PATHS = {
  /** The real media link; its handler reads every field of every frame. */
  frames: '/v1/media-link',
  /** The real media link; its handler notes how old each frame is. */
  timed: '/timed',
  /** Nothing but `ws`, which counts bytes. */
  bare: '/bare',
} as const;

export type PathName = keyof typeof PATHS;

/** Bench → receiver process. */
export type ReceiverCommand =
  | { readonly kind: 'start' }
  /** What comes from now on counts; with `gc`, garbage is collected before and after. */
  | { readonly kind: 'begin'; readonly messages: number; readonly gc: boolean }
  /** Asks for the window, which comes once all its messages have. */
  | { readonly kind: 'end' }
  /** Forgets the ages noted so far. */
  | { readonly kind: 'beginTimed' }
  | { readonly kind: 'endTimed' };

/** Receiver process → bench. */
export type ReceiverReport =
  | { readonly kind: 'ready'; readonly port: number }
  | { readonly kind: 'begun' }
  | { readonly kind: 'window'; readonly window: ReceiveWindow }
  | { readonly kind: 'begunTimed' }
  | { readonly kind: 'timed'; readonly timed: TimedWindow };

/** What receiving a number of messages cost. */
export interface ReceiveWindow {
  /** As counted by the handler; 0 of the bare receiver. */
  readonly frames: number;
  readonly bytes: number;
  /** CPU time of the process, µs. */
  readonly cpuMicros: number;
  readonly memory: MemoryGrowth;
}

export interface MemoryGrowth {
  /** Objects of V8's heap, bytes more at the end. */
  readonly heapBytes: number;
  /** Memory of buffers outside of it. */
  readonly externalBytes: number;
  /** Heap and buffers that a garbage collection leaves; 0 when none was asked for. */
  readonly retainedBytes: number;
  /** Garbage collections meanwhile: the growth means nothing unless 0. */
  readonly collections: number;
}

/** How old frames were when the handler got them. */
export interface TimedWindow {
  readonly frames: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** CPU time of the process, µs. */
  readonly cpuMicros: number;
}

/** Bench → sender process. */
export type SenderCommand =
  /** Opens one link; the one before is closed. */
  | { readonly kind: 'connect'; readonly port: number; readonly path: PathName }
  /** Writes ready-made messages to the link's socket, as fast as it takes them. */
  | { readonly kind: 'blast'; readonly messages: number; readonly framesPerMessage: number }
  /** Sends as a media host does, from frames to the socket. */
  | { readonly kind: 'send'; readonly plan: SendPlan }
  /** Streams in real time over several links, for a time. */
  | { readonly kind: 'openStreams'; readonly port: number; readonly streams: number }
  | { readonly kind: 'closeStreams' };

export interface SendPlan {
  readonly port: number;
  readonly messages: number;
  readonly framesPerMessage: number;
  /** 1: each message is a write to the socket; more: they leave in one. */
  readonly messagesPerTurn: number;
}

/** Sender process → bench. */
export type SenderReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'connected' }
  | { readonly kind: 'sent'; readonly cpuMicros: number }
  | { readonly kind: 'streaming'; readonly links: number }
  | { readonly kind: 'streamed'; readonly frames: number; readonly refused: number };
