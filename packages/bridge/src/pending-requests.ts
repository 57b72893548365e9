import type { Cancel, Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import { LIMITS } from '@earshot/bridge-protocol';

interface Pending<Reply> {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: CodedError) => void;
  readonly cancelTimeout: Cancel;
}

/** Requests of one link that wait for their answers; bounded, and none waits for ever. */
export class PendingRequests<Reply> {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #pending = new Map<string, Pending<Reply>>();
  #lastId = 0;

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Calls `send` with a fresh request id and waits for its answer.
   *
   * @throws CodedError `host_timeout`, or `host_unavailable` when the link breaks or too many wait.
   */
  ask(send: (requestId: string) => void): Promise<Reply> {
    if (this.#pending.size >= LIMITS.maxPendingRequests) {
      const most = LIMITS.maxPendingRequests;
      return Promise.reject(
        new CodedError(
          'host_unavailable',
          `Cannot ask the host: at most ${most} requests may wait, got one more`,
        ),
      );
    }
    this.#lastId += 1;
    const requestId = String(this.#lastId);
    return new Promise((resolve, reject) => {
      const deadlineMs = this.#clock.nowMs() + this.#timeoutMs;
      const cancelTimeout = this.#clock.at(deadlineMs, () => this.#expire(requestId));
      this.#pending.set(requestId, { resolve, reject, cancelTimeout });
      send(requestId);
    });
  }

  /** Hands an answer to whoever asked; false when nobody waits for it. */
  answer(requestId: string, reply: Reply): boolean {
    const pending = this.#take(requestId);
    pending?.resolve(reply);
    return pending !== undefined;
  }

  /** The link is gone: nobody will answer. */
  abandon(): void {
    for (const requestId of this.#pending.keys()) {
      this.#take(requestId)?.reject(
        new CodedError('host_unavailable', 'Cannot ask the host: its link must be up, it broke'),
      );
    }
  }

  #expire(requestId: string): void {
    this.#take(requestId)?.reject(
      new CodedError(
        'host_timeout',
        `Cannot ask the host: it must answer within ${this.#timeoutMs} ms`,
      ),
    );
  }

  #take(requestId: string): Pending<Reply> | undefined {
    const pending = this.#pending.get(requestId);
    this.#pending.delete(requestId);
    pending?.cancelTimeout();
    return pending;
  }
}
