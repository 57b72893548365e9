import type { EarshotEvent } from '@earshot/events';

/** Calls that are remembered at once; the one that began first gives way. */
const MAX_CALLS = 10_000;
/** Clocks are set, and drift: what was learned counts for one to two of these. */
const PERIOD_MS = 60_000;

/** Unix ms of the zero of a media clock, as the fastest event of a period tells. */
interface Zero {
  readonly sinceMs: number;
  readonly atMs: number;
  readonly beforeMs: number;
}

/**
 * When what lies on a call's media clock was heard. Events are found some time after it, each with
 * both clocks: the one that was found fastest says best how they lie.
 */
export class MediaTimes {
  readonly #zeros = new Map<string, Zero>();

  /** Learns from an event. */
  see({ callId, type, mediaTimeMs, wallclock }: EarshotEvent): void {
    if (type === 'call.ended' || type === 'media.started') this.#zeros.delete(callId);
    if (mediaTimeMs === null) return;
    const nowMs = Date.parse(wallclock);
    this.#zeros.set(callId, learned(this.#zeros.get(callId), nowMs, nowMs - mediaTimeMs));
    if (this.#zeros.size <= MAX_CALLS) return;
    for (const oldest of this.#zeros.keys()) {
      this.#zeros.delete(oldest);
      return;
    }
  }

  /** When what an event tells of began, Unix ms; rather too early than too late. */
  beganAtMs({ callId, wallclock }: EarshotEvent, startMs: number, endMs: number): number {
    const foundLate = Date.parse(wallclock) - Math.max(0, endMs - startMs);
    const zero = this.#zeros.get(callId);
    if (zero === undefined) return foundLate;
    return Math.min(foundLate, Math.min(zero.atMs, zero.beforeMs) + startMs);
  }
}

function learned(known: Zero | undefined, nowMs: number, atMs: number): Zero {
  if (known === undefined) return { sinceMs: nowMs, atMs, beforeMs: atMs };
  if (nowMs - known.sinceMs < PERIOD_MS) return { ...known, atMs: Math.min(known.atMs, atMs) };
  return { sinceMs: nowMs, atMs, beforeMs: known.atMs };
}
