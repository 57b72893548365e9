/** Who has the media of a call: our own media host, or Graph itself. */
export type MediaHosting = 'appHosted' | 'serviceHosted';

/** Which call is meant, for requests that hold for any call. */
export interface CallAddress {
  /** The tenant of the call, and so of the token. */
  readonly tenantId: string;
  readonly graphCallId: string;
  /** GUID of the whole scenario, for tracing. */
  readonly scenarioId?: string;
}

/** A call that was created or answered by this app. */
export interface CallRef extends CallAddress {
  /** What it was created or answered with: many methods hold for one of them only. */
  readonly media: MediaHosting;
}
