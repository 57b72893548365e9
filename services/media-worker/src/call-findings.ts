import type { Cancel, Clock } from '@earshot/async';
import type { ToneMessage } from '@earshot/bridge-protocol';
import { digitOfGraphTone } from '@earshot/dtmf';
import type { MediaEventDraft, ToneDraft } from '@earshot/media-session';
import { hostToneEvent, ToneFolder } from '@earshot/media-session';
import type { CallJournal } from './call-journal.js';
import type { CallListening } from './call-listening.js';
import type { CallMemory } from './call-memory.js';
import type { HeardStream } from './media-time.js';
import { MediaTime } from './media-time.js';
import { ToneCollections } from './tone-collections.js';

export interface CallFindingsOptions {
  readonly callId: string;
  readonly mediaId: string;
  readonly journal: Pick<CallJournal, 'add'>;
  readonly clock: Clock;
  /** The host's clock is not ours. */
  readonly isVirtual: boolean;
  readonly listening: CallListening;
  /** Where another worker left off. */
  readonly memory: CallMemory | undefined;
  /** Those of which not all is heard. */
  streams(): Iterable<HeardStream>;
}

/** The media host's reports are of one way. */
const HOST_WAY = 'host';

/** What one call's streams and its host report, made one account of the call, on the I/O thread. */
export class CallFindings {
  readonly #options: CallFindingsOptions;
  readonly #time: MediaTime;
  readonly #tones: ToneFolder;
  readonly #collections: ToneCollections;
  #memoryText: string | undefined;
  #hasNamed = false;
  #isLeaving = false;
  #cancelTimer: Cancel | undefined;

  constructor(options: CallFindingsOptions) {
    this.#options = options;
    const { callId, mediaId, journal, clock, isVirtual, listening, memory } = options;
    this.#time = new MediaTime(clock, isVirtual);
    this.#collections = new ToneCollections({
      ...{ callId, mediaId, settings: listening.current.collect, states: memory?.collections },
      tell: (event) => journal.add(event),
    });
    this.#tones = new ToneFolder({ tell: (draft) => this.#toneTold(draft), state: memory?.tones });
    listening.onChange(({ collect }) => this.#collections.change(collect, this.#settledMs));
  }

  /** Reports of tones that were folded into another's event. */
  get tonesFolded(): number {
    return this.#tones.folded;
  }

  /** Something found is not told yet. */
  get isWaiting(): boolean {
    return this.#tones.deadlineMs !== undefined;
  }

  /** What another worker needs to go on from here; undefined when that is as the last time. */
  takeMemory(): CallMemory | undefined {
    const memory: CallMemory = {
      version: 1,
      tones: this.#tones.state,
      collections: this.#collections.states,
    };
    const text = JSON.stringify(memory);
    const isNews = text !== this.#memoryText && (this.#memoryText !== undefined || hasAny(memory));
    this.#memoryText = text;
    return isNews ? memory : undefined;
  }

  /** Takes what a stream found. */
  add(event: MediaEventDraft, streamId: number): void {
    if (event.type === 'tone.detected') {
      this.#tone(event, event.sourceId ?? `mixed${streamId}`);
      return;
    }
    if (event.type === 'media.streamOpened') this.#opened(event.sourceId);
    if (event.type === 'media.streamClosed' && !this.#isLeaving) {
      this.#collections.forget(event.sourceId, event.mediaTimeMs);
    }
    this.#options.journal.add(event);
  }

  /** Takes a tone that the media host was told of by the platform. */
  hostTone({ tone, sourceId }: ToneMessage, startMs: number): void {
    const digit = digitOfGraphTone(tone);
    if (digit === undefined) return;
    const { callId, mediaId } = this.#options;
    const draft = hostToneEvent({ callId, mediaId, sourceId: sourceId ?? null, digit, startMs });
    this.#tone(draft, HOST_WAY);
  }

  /** Tells what is so because time passes; call it several times a second. */
  advance(isLinked: boolean): void {
    this.#time.look(this.#options.streams(), isLinked);
    this.#collections.advance(this.#settledMs);
  }

  /** The call goes on elsewhere: what is open stays open. */
  leave(): void {
    this.#isLeaving = true;
  }

  /**
   * Nothing follows: what waits is told, and what is open ends, unless the call goes on elsewhere.
   *
   * @param endMs end of the last frame; null when none was heard
   */
  end(endMs: number | null): void {
    this.#cancelTimer?.();
    this.#tones.flush();
    if (!this.#isLeaving) this.#collections.end(endMs ?? this.#time.settledMs ?? 0);
  }

  #opened(sourceId: string | null): void {
    if (sourceId !== null) this.#hasNamed = true;
    this.#collections.expect(sourceId);
  }

  #tone(draft: ToneDraft, way: string): void {
    this.#tones.accept(draft, way, this.#options.clock.nowMs(), this.#hasNamed);
    this.#setTimer();
  }

  #toneTold(draft: ToneDraft): void {
    this.#options.journal.add(draft);
    this.#collections.press(draft);
  }

  #setTimer(): void {
    const { deadlineMs } = this.#tones;
    if (deadlineMs === undefined || this.#cancelTimer !== undefined) return;
    const { clock } = this.#options;
    this.#cancelTimer = clock.at(deadlineMs, () => {
      this.#cancelTimer = undefined;
      this.#tones.advance(clock.nowMs());
      this.#setTimer();
    });
  }

  readonly #settledMs = (sourceId: string | null): number | undefined => {
    for (const stream of this.#options.streams()) {
      if (stream.identity.sourceId === sourceId) return this.#time.settledMsOf(stream);
    }
    return this.#time.settledMs;
  };
}

function hasAny({ tones, collections }: CallMemory): boolean {
  return tones.told.length > 0 || collections.length > 0;
}
