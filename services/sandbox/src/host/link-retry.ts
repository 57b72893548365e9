import { backoffDelayMs } from '@earshot/async';
import { CLOSE } from '@earshot/bridge-protocol';

const BACKOFF = { baseMs: 100, maxMs: 3_000 } as const;
/** §9.2: one side has a bug, another dial may meet it again. */
const MAX_PROTOCOL_ERRORS = 3;
/** RFC 6455 §7.4.1. */
const WEBSOCKET_REFUSALS: ReadonlySet<number> = new Set([1002, 1007, 1008, 1009]);

/** The worker does not want the call any more, or not from this token: signaling has to say more. */
const FINAL_CLOSE_CODES: ReadonlySet<number> = new Set([
  CLOSE.goingAway,
  CLOSE.unauthorized,
  CLOSE.conflict,
  CLOSE.unsupportedVersion,
  CLOSE.draining,
]);
const RETRIED_4XXX: ReadonlySet<number> = new Set([CLOSE.helloTimeout, CLOSE.busy]);

/** How often and how soon a broken media link is dialled again. */
export class LinkRetry {
  #failures = 0;
  #protocolErrors = 0;

  /**
   * A link that had been welcomed is over.
   *
   * @param livedMs since its welcome.
   * @returns whether it may be dialled again.
   */
  ended(closeCode: number, livedMs: number, pingIntervalMs: number): boolean {
    if (livedMs >= pingIntervalMs) {
      this.#failures = 0;
      this.#protocolErrors = 0;
    }
    if (FINAL_CLOSE_CODES.has(closeCode)) return false;
    this.#protocolErrors = isProtocolError(closeCode) ? this.#protocolErrors + 1 : 0;
    return this.#protocolErrors <= MAX_PROTOCOL_ERRORS;
  }

  /** How long to wait before the next try. @param random a number in [0, 1). */
  nextDelayMs(random: number): number {
    const delayMs = backoffDelayMs(this.#failures, random, BACKOFF);
    this.#failures += 1;
    return delayMs;
  }
}

/** an unknown 4xxx is a protocol error, an unknown 45xx an internal one. */
function isProtocolError(closeCode: number): boolean {
  if (WEBSOCKET_REFUSALS.has(closeCode)) return true;
  return closeCode >= 4000 && closeCode < 4500 && !RETRIED_4XXX.has(closeCode);
}
