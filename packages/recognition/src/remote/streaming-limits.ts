/** What a session with a vendor by WebSocket may take. */
export interface StreamingLimits {
  /** Most time to open a connection, ms. */
  readonly connectMs: number;
  /** Most time from the end of an utterance to its last final, ms. */
  readonly resultsMs: number;
  /** Quiet after the end of an utterance from which the vendor is asked whether it is through, ms. */
  readonly quietMs: number;
  /** Without sound for half of it up to one and a half, something is sent to keep the connection, ms. */
  readonly keepAliveMs: number;
  /** Most sound that is kept, of an utterance and of those that wait, ms. */
  readonly maxUtteranceMs: number;
  /** Connections that may break off in one utterance. */
  readonly maxReconnects: number;
}

export const DEFAULT_STREAMING_LIMITS: StreamingLimits = {
  connectMs: 5000,
  resultsMs: 10_000,
  quietMs: 2500,
  keepAliveMs: 4000,
  maxUtteranceMs: 75_000,
  maxReconnects: 2,
};
