// Numbers and names that both sides of a link must agree on; README.md is the specification.

/** The protocol version that `hello`, `welcome` and the binary header carry. */
export const PROTOCOL_VERSION = 1;

/** WebSocket subprotocol of the link between a media host and signaling. */
export const HOST_SUBPROTOCOL = 'earshot.host.v1';

/** WebSocket subprotocol of the link between a media host and a media worker. */
export const MEDIA_SUBPROTOCOL = 'earshot.media.v1';

/** What a binary message holds: the direction of its frames. */
export const KIND = {
  /** Heard in the meeting: host → worker. */
  heard: 1,
  /** To be sent into the meeting: worker → host. */
  send: 2,
} as const;

/** A value of `KIND`. */
export type Kind = (typeof KIND)[keyof typeof KIND];

/** What the payload of a frame holds. */
export const CODEC = {
  /** No payload: 20 ms of digital silence. */
  silence: 0,
  /** One Opus packet (RFC 6716) of 20 ms. */
  opus: 1,
  /** 320 samples of signed 16-bit little-endian PCM, mono, 16 000 Hz. */
  pcm16: 2,
} as const;

/** Bits of a frame's flags; a sender leaves the others 0, a receiver ignores them. */
export const FLAG = {
  /** The source says that the frame is silent, whatever its payload. */
  silence: 1,
  /** The frame was sent before, on an earlier link of the same call. */
  replayed: 2,
  /** Time before this frame is missing from the source without loss of frames. */
  discontinuity: 4,
} as const;

/** Bounds of everything a peer may send, and the times both sides keep. */
export const LIMITS = {
  /** Largest binary message, bytes. */
  maxMessageBytes: 65_536,
  /** Largest control message, bytes of UTF-8. */
  maxJsonBytes: 65_536,
  maxFramesPerMessage: 1024,
  /** Largest Opus packet (RFC 6716 §3.2.1: a frame is at most 1275 bytes), and so any payload. */
  maxPayloadBytes: 1275,
  /** 20 ms at 16 000 Hz, 2 bytes a sample: the only payload length of PCM16. */
  pcmPayloadBytes: 640,
  /** Streams open at once on one media link. */
  maxStreams: 64,
  /** Streams told of in one message: also those that closed and are not yet durable. */
  maxListedStreams: 1024,
  /** Frames that a host may buffer for one send stream: 21 minutes. */
  maxSendBufferFrames: 65_535,
  /** Marks waiting on one send stream. */
  maxMarks: 64,
  /** Requests waiting for a host's answer, on one host link. */
  maxPendingRequests: 256,
  /** How long an accepted socket may take to say `hello`. */
  helloTimeoutMs: 5000,
  /** How often a `ping` is sent; `welcome` may say otherwise. */
  pingIntervalMs: 5000,
  /** Ping intervals without any message from the peer after which it counts as gone. */
  maxMissedPings: 2,
  /** How long a worker waits for `sendOpened` or `sendClosed`. */
  sendOpenTimeoutMs: 5000,
  /** How long signaling waits for `allocated`, `attached` or `refused`. */
  requestTimeoutMs: 10_000,
} as const;

/** Close codes of both links; 4xxx follow the HTTP status of the same last three digits. */
export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  /** A message broke this specification; the reason names the code. */
  protocolError: 4400,
  /** The token does not allow what `hello` asks for. */
  unauthorized: 4401,
  /** `hello` was late, or the peer went silent. */
  helloTimeout: 4408,
  /** Another link holds the call or the host id, or the epoch is stale. */
  conflict: 4409,
  tooLarge: 4413,
  unsupportedVersion: 4426,
  busy: 4429,
  internal: 4500,
  draining: 4503,
} as const;
