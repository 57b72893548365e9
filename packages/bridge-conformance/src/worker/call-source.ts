import { NotApplicable } from '../outcome.js';

/** A call that the worker under test will take, and the token for it. */
export interface PlacedCall {
  readonly callId: string;
  readonly epoch: number;
  readonly token: string;
  /** The media link of the worker it is placed on. @defaultValue that of the suite */
  readonly url?: string;
}

/** Where the suite gets calls from; the part of signaling. */
export interface CallSource {
  /** Only one call can be had, so that rules share it. */
  readonly isFixed: boolean;
  /** A new call, or with an id the same call placed on the same worker anew, with a higher epoch. */
  place(callId?: string): Promise<PlacedCall>;
  /** The same call placed on a second worker, with a higher epoch; left out where there is none. */
  placeElsewhere?(callId: string): Promise<PlacedCall>;
}

/** The one call that a given token is for. */
export function fixedCall(call: PlacedCall): CallSource {
  return {
    isFixed: true,
    async place(callId) {
      if (callId === undefined) return call;
      throw new NotApplicable('one token is one epoch: give a key to check this');
    },
  };
}
