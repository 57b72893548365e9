/**
 * Bounds on HTTP clients that nobody has authenticated yet, as fastify takes them. Without them a
 * client may take a minute over its headers and five over its body, and is looked at each 30 s.
 */
export const HTTP_LIMITS: {
  readonly requestTimeout: number;
  readonly http: {
    readonly headersTimeout: number;
    readonly connectionsCheckingInterval: number;
    readonly maxHeaderSize: number;
  };
} = {
  /** For the whole request with its body, ms. */
  requestTimeout: 60_000,
  http: {
    /** For the headers, ms. */
    headersTimeout: 10_000,
    connectionsCheckingInterval: 2000,
    /** Bytes. A token has at most 8 KiB. */
    maxHeaderSize: 16_384,
  },
};
