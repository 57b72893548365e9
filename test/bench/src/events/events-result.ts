/** The last line of stdout; a documented format (docs/performance.md). */
export interface EventsResult {
  /** From `publish` to the handler, over the CPU time of publisher and consumer together. */
  readonly eventsPerSecond: number;
  /** From `publish` to the handler, at 1000 events/s. */
  readonly p99Ms: number;
  /** From SIGTERM until the worker exited and all its calls were attached elsewhere. */
  readonly drainSecondsFor20Calls: number;
  /** From SIGKILL until another worker had published something of each of 20 calls. */
  readonly failoverSeconds: number;
  /** Frames that no worker heard, while 20 calls moved twice. */
  readonly lostFrames: number;
}

/** The JSON of a result: numbers as long as they mean something. */
export function eventsToJson(result: EventsResult): string {
  return JSON.stringify(result, (_, value) =>
    typeof value === 'number' ? Number(value.toPrecision(4)) : value,
  );
}
