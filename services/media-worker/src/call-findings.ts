import type { Cancel, Clock } from '@earshot/async';
import type { DominantSpeakerMessage, ToneMessage } from '@earshot/bridge-protocol';
import { digitOfGraphTone } from '@earshot/dtmf';
import type { MediaEventDraft, ToneDraft } from '@earshot/media-session';
import { hostToneEvent, ToneFolder } from '@earshot/media-session';
import type { CallJournal } from './call-journal.js';
import type { CallListening } from './call-listening.js';
import type { CallMemory } from './call-memory.js';
import { CallTalk } from './call-talk.js';
import type { HeardStream } from './media-time.js';
import { MediaTime } from './media-time.js';
import { ToneCollections } from './tone-collections.js';

export interface CallFindingsOptions {
  readonly callId: string;
  readonly mediaId: string;
  /** Whose a source is now, as far as is known. */
  participantOf(sourceId: string): string | null;
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

const NO_TONES = JSON.stringify([{ told: [] }, []]);

/** What one call's streams and its host report, made one account of the call, on the I/O thread. */
export class CallFindings {
  readonly #options: CallFindingsOptions;
  readonly #time: MediaTime;
  readonly #tones: ToneFolder;
  readonly #collections: ToneCollections;
  /** Who speaks. */
  readonly talk: CallTalk;
  /** Other workers heard so much before. */
  readonly #heardBeforeMs: number;
  #toneText = NO_TONES;
  #hasNamed = false;
  #isLeaving = false;
  #cancelTimer: Cancel | undefined;

  constructor(options: CallFindingsOptions) {
    this.#options = options;
    const { callId, mediaId, journal, clock, isVirtual, listening, memory } = options;
    this.#heardBeforeMs = memory?.heardMs ?? Number.NEGATIVE_INFINITY;
    this.#time = new MediaTime(clock, isVirtual);
    this.#collections = new ToneCollections({
      ...{ callId, mediaId, settings: listening.current.collect, states: memory?.collections },
      tell: (event) => journal.add(event),
    });
    this.#tones = new ToneFolder({
      tell: (draft) => this.#toneTold(draft),
      areBehind: () => this.#areNamedBehind(),
      state: memory?.tones,
    });
    this.talk = new CallTalk({
      ...{ callId, mediaId, state: memory?.talk },
      participantOf: (sourceId) => options.participantOf(sourceId),
      tell: (event) => journal.add(event),
    });
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

  /** What another worker needs to go on from here. */
  get memory(): CallMemory {
    const heardMs = Math.max(this.#heardBeforeMs, this.#time.heardMs ?? Number.NEGATIVE_INFINITY);
    return {
      version: 1,
      tones: this.#tones.state,
      collections: this.#collections.states,
      talk: this.talk.state,
      heardMs: heardMs === Number.NEGATIVE_INFINITY ? null : heardMs,
    };
  }

  /** Whether what another worker needs of tones has changed since the last time. */
  takeNews(): boolean {
    const text = JSON.stringify([this.#tones.state, this.#collections.states]);
    const isNews = text !== this.#toneText;
    this.#toneText = text;
    return isNews;
  }

  /** Takes what a stream found. */
  add(event: MediaEventDraft, streamId: number): void {
    if (event.type === 'tone.detected') {
      this.#tone(event, event.sourceId ?? `mixed${streamId}`);
      return;
    }
    if (event.type === 'speech.started') this.talk.started(event.sourceId, event.data.startMs);
    if (event.type === 'speech.ended') {
      this.talk.ended(event.sourceId, event.data.startMs, event.data.endMs);
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
    const ordinal = this.#tones.ordinalOf(digit, HOST_WAY, startMs);
    const draft = hostToneEvent({
      ...{ callId, mediaId, sourceId: sourceId ?? null, digit, startMs, ordinal },
    });
    this.#tone(draft, HOST_WAY);
  }

  /** Takes the platform's word on who dominates. */
  hostDominant({ sourceId }: DominantSpeakerMessage, sinceMs: number): void {
    this.talk.hostSays(sourceId, sinceMs);
  }

  /** Tells what is so because time passes; call it several times a second. */
  advance(isLinked: boolean): void {
    this.#time.look(this.#options.streams(), isLinked);
    this.#collections.advance(this.#settledMs);
    const settledMs = this.#settledMsOfAll();
    if (settledMs !== undefined) this.talk.settle(settledMs, this.#time.firstMs ?? settledMs);
  }

  /** The call goes on elsewhere: what is open stays open. */
  leave(): void {
    this.#isLeaving = true;
  }

  /**
   * Nothing follows here: what waits is told, and what is open ends, and is summed up, unless the call
   * goes on elsewhere.
   *
   * @param endMs end of the last frame; null when none was heard
   */
  end(endMs: number | null): void {
    this.#cancelTimer?.();
    this.#tones.flush();
    if (this.#isLeaving) return;
    const heardMs = endMs ?? this.#time.settledMs ?? Number.NEGATIVE_INFINITY;
    const lastMs = Math.max(this.#heardBeforeMs, heardMs);
    const atMs = lastMs === Number.NEGATIVE_INFINITY ? 0 : lastMs;
    this.#collections.end(atMs);
    this.talk.end(atMs);
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

  #areNamedBehind(): boolean {
    for (const { identity, isBusy, hasAllFindings } of this.#options.streams()) {
      if (identity.sourceId !== null && (isBusy || !hasAllFindings)) return true;
    }
    return false;
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

  #settledMsOfAll(): number | undefined {
    let leastMs = this.#time.surelySettledMs;
    for (const stream of this.#options.streams()) {
      const settledMs = this.#time.settledMsOf(stream);
      if (settledMs === undefined || leastMs === undefined) return undefined;
      leastMs = Math.min(leastMs, settledMs);
    }
    return leastMs;
  }

  readonly #settledMs = (sourceId: string | null): number | undefined => {
    for (const stream of this.#options.streams()) {
      if (stream.identity.sourceId === sourceId) return this.#time.settledMsOf(stream);
    }
    return this.#time.settledMs;
  };
}
