import type { Clock } from '@earshot/async';
import { delay } from '@earshot/async';
import type { EarshotEvent, EventOf, HandlerContext } from '@earshot/events';
import type { RecordingPermit } from '@earshot/recording-gate';
import { RecordingGate } from '@earshot/recording-gate';
import type { Registry, TranscriptWriter } from '@earshot/registry';
import type { Log } from '@earshot/telemetry';
import { MIN_MARKED_MS } from '@earshot/transcript';
import type { SignalingMetrics } from '../metrics.js';
import { MediaTimes } from './media-times.js';

/** A gate that nobody could look at for so long is closed. */
const STALE_AFTER_MS = 2_000;
/** Calls that are followed at once; the one that began first gives way. */
const MAX_CALLS = 10_000;
/** How often, and how long apart, an event is tried while Redis is away. */
const ATTEMPTS = 20;
const RETRY_MS = 500;

export interface TranscriptKeeperOptions {
  readonly registry: Pick<Registry, 'recordingGate' | 'transcripts'>;
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<SignalingMetrics, 'transcriptUtterances' | 'transcriptsDropped'>;
}

type KeptEvent = EventOf<'transcript.final'> | EventOf<'transcript.skipped'> | EventOf<'media.gap'>;

/** One call as it is followed. */
interface Followed {
  readonly gate: RecordingGate;
  permit?: RecordingPermit;
  writer?: TranscriptWriter;
  /** Utterances that were not kept since the last that was. */
  missed: number;
}

/** Keeps what is said in calls while they may be recorded, and nothing else. */
export class TranscriptKeeper {
  readonly #options: TranscriptKeeperOptions;
  readonly #times = new MediaTimes();
  readonly #calls = new Map<string, Followed>();

  constructor(options: TranscriptKeeperOptions) {
    this.#options = options;
  }

  /**
   * Takes an event. Never fails: an event that a consumer cannot handle would be set aside, where
   * nobody looks for a transcript.
   */
  async handle(event: EarshotEvent, { signal }: HandlerContext): Promise<void> {
    this.#times.see(event);
    if (event.type === 'call.ended') this.#forget(event.callId);
    if (!isKept(event)) return;
    const { clock, log, metrics } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#keep(event);
      } catch (error) {
        if (signal.aborted) throw error;
        if (attempt === ATTEMPTS) {
          log.error('part of a transcript was lost', { callId: event.callId, error });
          if (isUtterance(event)) metrics.transcriptUtterances.add(1, { outcome: 'failed' });
          return;
        }
      }
      await delay(clock, RETRY_MS);
    }
  }

  /** Closes all gates: nothing is kept any more. */
  close(): void {
    for (const callId of [...this.#calls.keys()]) this.#forget(callId);
  }

  async #keep(event: KeptEvent): Promise<void> {
    const { registry, metrics } = this.#options;
    const call = this.#follow(event.callId);
    call.gate.follow(await registry.recordingGate(event.callId));
    const writer = this.#writerOf(event.callId, call);
    const { startMs, endMs } = spanOf(event);
    const beganAtMs = this.#times.beganAtMs(event, startMs, endMs);
    // First, so that it is not lost when keeping the event fails: telling it twice is harmless.
    if (writer !== undefined && call.missed > 0) {
      const note = noteOf(event, { utterances: call.missed, beforeMs: startMs });
      const noted = await writer.keep(note, beganAtMs);
      metrics.transcriptsDropped.add(noted.dropped);
      if (noted.isKept) call.missed = 0;
    }
    const { traceparent: _, ...entry } = event;
    const kept = await writer?.keep(entry, beganAtMs);
    metrics.transcriptsDropped.add(kept?.dropped ?? 0);
    if (!isUtterance(event)) return;
    const isRecorded = kept?.isKept === true;
    if (!isRecorded) {
      call.missed += 1;
      await this.#countNotKept(event.callId);
    }
    metrics.transcriptUtterances.add(1, { outcome: isRecorded ? 'kept' : 'notRecorded' });
  }

  /** Not tried again: the event was taken, and would count twice. */
  async #countNotKept(callId: string): Promise<void> {
    const { registry, ttlMs, log } = this.#options;
    try {
      await registry.transcripts.countNotKept({ callId, ttlMs });
    } catch (error) {
      log.warn('an utterance that was not kept is not counted', { callId, error });
    }
  }

  /** One for each opening of the gate. */
  #writerOf(callId: string, call: Followed): TranscriptWriter | undefined {
    const { registry, ttlMs } = this.#options;
    const permit = call.gate.permit();
    if (permit === undefined) return undefined;
    if (permit !== call.permit || call.writer === undefined) {
      call.permit = permit;
      call.writer = registry.transcripts.writer(permit, { callId, ttlMs });
    }
    return call.writer;
  }

  #follow(callId: string): Followed {
    const known = this.#calls.get(callId);
    if (known !== undefined) return known;
    const { clock } = this.#options;
    const gate = new RecordingGate({ clock, staleAfterMs: STALE_AFTER_MS });
    const call: Followed = { gate, missed: 0 };
    this.#calls.set(callId, call);
    const [oldest] = this.#calls.keys();
    if (this.#calls.size > MAX_CALLS && oldest !== undefined) this.#forget(oldest);
    return call;
  }

  #forget(callId: string): void {
    this.#calls.get(callId)?.gate.close();
    this.#calls.delete(callId);
  }
}

function isKept(event: EarshotEvent): event is KeptEvent {
  if (event.type === 'media.gap') return event.data.durationMs >= MIN_MARKED_MS;
  if (event.type === 'transcript.skipped') return event.data.task === 'dictation';
  return event.type === 'transcript.final';
}

function isUtterance(event: KeptEvent): boolean {
  return event.type !== 'media.gap';
}

function spanOf(event: KeptEvent): { startMs: number; endMs: number } {
  if (event.type !== 'media.gap') return event.data;
  const { startMs, durationMs } = event.data;
  return { startMs, endMs: startMs + durationMs };
}

/** Says how much is missing before an event, and nothing of what it was. */
function noteOf(
  { id, callId, epoch, wallclock }: KeptEvent,
  data: { utterances: number; beforeMs: number },
) {
  return {
    ...{ id: `${id}.notRecorded`, type: 'transcript.notRecorded' as const, callId, epoch },
    ...{ wallclock, participant: null, sourceId: null, data },
  };
}
