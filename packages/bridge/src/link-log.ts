/** Where links log; the log of `@earshot/telemetry` fits. Never given tokens, blobs or names. */
export interface LinkLog {
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
}
