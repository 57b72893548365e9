/** The last line of stdout; a documented format (docs/performance.md). */
export interface SignalingResult {
  /** Callbacks acknowledged and folded into their calls, over the CPU time of the process. */
  readonly callbacksPerSecondPerCore: number;
  /** From the moment a callback is due to the end of its answer, at 500 callbacks/s. */
  readonly ackP99Ms: number;
  /** Calls made, hung up and ended, by the clock. */
  readonly joinsPerMinute: number;
  /** A full roster of 1000 of whom one changed, from JSON's value to the changes: the median. */
  readonly rosterUpdateMsFor1000Participants: number;
}

/** The JSON of a result: numbers as long as they mean something. */
export function signalingToJson(result: SignalingResult): string {
  return JSON.stringify(result, (_, value) =>
    typeof value === 'number' ? Number(value.toPrecision(4)) : value,
  );
}
