import { LIMITS } from '@earshot/bridge-protocol';

/** What may wait for a peer that doesn't read; a second of the largest batches. */
export const MAX_BUFFERED_BYTES: number = 1_048_576;

/** Connections of one address that a server bears with before it has welcomed them. */
export const MAX_PENDING_PER_ADDRESS: number = 64;

/** How long a host may take to reach a server and be welcomed. */
export const CONNECT_TIMEOUT_MS: number = 8000;

/** What both sides ask of a WebSocket. */
export const SOCKET_OPTIONS: {
  readonly perMessageDeflate: false;
  readonly maxPayload: number;
  readonly maxFragments: number;
  readonly closeTimeout: number;
} = {
  // Deflate costs a hundred times the rest of a frame's way, and audio doesn't shrink.
  perMessageDeflate: false,
  // Above the limit of the protocol, so that a message a little too large gets our own code.
  maxPayload: 2 * LIMITS.maxMessageBytes,
  maxFragments: 64,
  closeTimeout: 2000,
};
