import type { FrameError, WorkerSendMessage } from '@earshot/bridge-protocol';
import { FrameCursor, KIND } from '@earshot/bridge-protocol';

/** What a host does with the audio that a worker sends into the meeting. */
export interface WayBackHandlers {
  /** A checked message of kind 2; borrowed, as its bytes are, for the call. */
  frames(cursor: FrameCursor): void;
  message(message: WorkerSendMessage): void;
}

/** The way back of one media link at its host, once it is agreed. */
export class WayBack {
  readonly #handlers: WayBackHandlers;
  readonly #cursor = new FrameCursor(KIND.send);

  constructor(handlers: WayBackHandlers) {
    this.#handlers = handlers;
  }

  /** Hands the frames of a message over; the rule that it breaks, if it does. */
  binary(bytes: Uint8Array): FrameError | undefined {
    const error = this.#cursor.open(bytes);
    if (error === undefined) this.#handlers.frames(this.#cursor);
    this.#cursor.close();
    return error;
  }

  message(message: WorkerSendMessage): void {
    this.#handlers.message(message);
  }
}
