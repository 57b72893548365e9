// What the bench and its two processes tell each other over IPC.

/** Bench → publisher process. */
export type PublisherCommand =
  | { readonly kind: 'start'; readonly redisUrl: string }
  /** As fast as the publisher takes them. */
  | { readonly kind: 'flood'; readonly events: number }
  /** Evenly. */
  | { readonly kind: 'pace'; readonly events: number; readonly perSecond: number };

/** Publisher process → bench. */
export type PublisherReport =
  | { readonly kind: 'ready' }
  /** All of it is in Redis. */
  | { readonly kind: 'published'; readonly cpuMicros: number };

/** Bench → consumer process. */
export type ConsumerCommand =
  | { readonly kind: 'start'; readonly redisUrl: string }
  /** So many events come; answered when they were handled. */
  | { readonly kind: 'expect'; readonly events: number };

/** Consumer process → bench. */
export type ConsumerReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'handled'; readonly window: ConsumerWindow };

/** What the consumer did from `expect` to its last event. */
export interface ConsumerWindow {
  readonly cpuMicros: number;
  /** From the first event being handled to the last. */
  readonly durationMs: number;
  /** From `publish` being called to the handler being called, of each event. */
  readonly latenciesMs: Float64Array;
  /** Events that were not the next of their call. */
  readonly outOfOrder: number;
}
