import type { EarshotEvent } from '@earshot/events';
import { monotonicMs } from '../pipeline/monotonic.js';

/** As many as a few workers have; they spread over all partitions. */
const CALLS = 64;
const PARTICIPANT = { id: '8:orgid:9b2f5a1e-64c3-4d0b-8a4c-2b8d6f5b8f10', displayName: 'Ada' };

/** The events of some calls, one call after the other, as media workers tell them. */
export class SampleEvents {
  readonly #wallclock = new Date().toISOString();
  #next = 0;

  /** The next event; its media time is the monotonic time of now, ms. */
  take(): EarshotEvent {
    const number = this.#next;
    this.#next += 1;
    const position = Math.floor(number / CALLS);
    const callId = `c_WcXo3vT0bQmJ4mBvT2Zr${String(number % CALLS).padStart(3, '0')}`;
    const mediaTimeMs = monotonicMs();
    const envelope = {
      version: 1,
      id: `${callId}/7/${position}`,
      callId,
      epoch: 1,
      source: 'media',
      position,
      mediaTimeMs,
      wallclock: this.#wallclock,
      participant: PARTICIPANT,
      sourceId: '112',
    } as const;
    const startMs = position * 20;
    if (position % 4 === 0) {
      return {
        ...envelope,
        type: 'tone.detected',
        data: {
          kind: 'dtmf',
          digit: '5',
          startMs,
          durationMs: 100,
          levelDbfs: -11.25,
          twistDb: 0,
          confidence: 1,
          origin: 'inBand',
          acrossGap: false,
        },
      };
    }
    if (position % 2 === 0) return { ...envelope, type: 'speech.started', data: { startMs } };
    const endMs = startMs + 1_480;
    return {
      ...envelope,
      type: 'speech.ended',
      data: { startMs, endMs, durationMs: endMs - startMs },
    };
  }
}
