import type { TalkTime } from '@earshot/events';
import type {
  DominantChange,
  DominantSpeakerState,
  TalkLedgerState,
  TalkTotals,
} from '@earshot/media-session';
import { DominantSpeaker, TalkLedger } from '@earshot/media-session';
import type { CallEventDraft } from './call-events.js';
import { dominantEvent, talkSummaryEvent } from './call-events.js';

export interface CallTalkOptions {
  readonly callId: string;
  readonly mediaId: string;
  /** Where another worker left off. */
  readonly state?: CallTalkState | null | undefined;
  /** Whose a source is now, as far as is known. */
  participantOf(sourceId: string): string | null;
  tell(event: CallEventDraft): void;
}

/** What a worker knows of who speaks in a call, as plain JSON, for the one that goes on with it. */
export interface CallTalkState {
  readonly speakers: readonly SpeakerName[];
  readonly ledger: TalkLedgerState;
  /** Null where sources are heard by themselves. */
  readonly mix: TalkLedgerState | null;
  readonly dominant: DominantSpeakerState;
}

/** A source, for as long as it is one participant's; the ledger knows it by `key`, in decimal digits. */
export type SpeakerName = readonly [key: number, sourceId: string, participantId: string | null];

/** A source, for as long as it is one participant's. */
interface Speaker {
  readonly key: number;
  readonly sourceId: string;
  /** Null until it is known. */
  participantId: string | null;
}

/** How much later than it is the end of speech is told, beyond what is late anyhow: its hangover. */
const HANGOVER_MS = 550;

/** More speakers are not counted. */
const MAX_SPEAKERS = 1024;

const MIX = 'mix';

/** Who speaks in a call: who mostly does, and for how long each did. */
export class CallTalk {
  readonly #options: CallTalkOptions;
  readonly #dominant: DominantSpeaker;
  readonly #ledger: TalkLedger;
  /** The mix, as long as no source is heard by itself. */
  readonly #mix: TalkLedger;
  readonly #speakers = new Map<string, Speaker>();
  /** As which speaker each source speaks now. */
  readonly #speakerOf = new Map<string, Speaker>();
  #nextKey = 0;

  constructor(options: CallTalkOptions) {
    this.#options = options;
    const { state } = options;
    for (const [key, sourceId, participantId] of state?.speakers ?? []) {
      this.#addSpeaker({ key, sourceId, participantId });
    }
    this.#dominant = new DominantSpeaker(
      (change) => this.#dominantChanged(change),
      state?.dominant,
    );
    this.#ledger = new TalkLedger({
      state: state?.ledger,
      onStretch: (keys, fromMs, toMs) =>
        this.#dominant.stretch(this.#sourcesOf(keys), fromMs, toMs),
    });
    this.#mix = new TalkLedger({ state: state?.mix });
  }

  /** What another worker needs to go on from here. */
  get state(): CallTalkState {
    const ledger = this.#ledger.state;
    const speakers: SpeakerName[] = [];
    for (const [key] of ledger.speakers) {
      const speaker = this.#speakers.get(key);
      if (speaker !== undefined) {
        speakers.push([speaker.key, speaker.sourceId, speaker.participantId]);
      }
    }
    const mix = this.#speakers.size === 0 ? this.#mix.state : null;
    return { speakers, ledger, mix, dominant: this.#dominant.state };
  }

  /** The source that dominates; null for nobody. */
  get dominant(): string | null {
    return this.#dominant.current;
  }

  /** Who spoke for how long so far. */
  get speakers(): TalkTime[] {
    return this.#totals.speakers.map(({ speaker: key, ...talk }) => {
      const speaker = this.#speakers.get(key);
      if (speaker === undefined) return { sourceId: null, participantId: null, ...talk };
      const { sourceId } = speaker;
      speaker.participantId ??= this.#options.participantOf(sourceId);
      return { sourceId, participantId: speaker.participantId, ...talk };
    });
  }

  started(sourceId: string | null, startMs: number): void {
    if (sourceId === null) {
      this.#mix.started(MIX, startMs);
      return;
    }
    const last = this.#speakerOf.get(sourceId);
    // Told again after a hand-over: it was said by whose the source was then.
    if (last !== undefined && this.#ledger.hasBegun(`${last.key}`, startMs)) return;
    const speaker = this.#nowSpeaking(sourceId);
    if (speaker !== undefined) this.#ledger.started(`${speaker.key}`, startMs);
  }

  ended(sourceId: string | null, startMs: number, endMs: number): void {
    if (sourceId === null) {
      this.#mix.ended(MIX, startMs, endMs);
      return;
    }
    const speaker = this.#speakerOf.get(sourceId) ?? this.#nowSpeaking(sourceId);
    if (speaker !== undefined) this.#ledger.ended(`${speaker.key}`, startMs, endMs);
  }

  /** The media host says who dominates. */
  hostSays(sourceId: string | null, sinceMs: number): void {
    this.#dominant.hostSays(sourceId, sinceMs);
  }

  /**
   * All that was found up to then has come.
   *
   * @param firstMs before it nothing was heard.
   */
  settle(settledMs: number, firstMs: number): void {
    const untilMs = settledMs - HANGOVER_MS;
    if (untilMs >= firstMs) this.#settleAt(untilMs);
  }

  /** Nothing follows: tells who spoke for how long up to `endMs`, if anybody did. */
  end(endMs: number): void {
    this.#settleAt(endMs);
    const totals = this.#totals;
    if (totals.talkMs === 0) return;
    this.#options.tell(talkSummaryEvent(this.#options, { ...totals, endMs }, this.speakers));
  }

  #settleAt(untilMs: number): void {
    this.#ledger.settle(untilMs);
    this.#mix.settle(untilMs);
  }

  /** The mix says nothing of who spoke where that is known. */
  get #totals(): TalkTotals {
    return this.#speakers.size === 0 ? this.#mix.totals : this.#ledger.totals;
  }

  /** As whom a source begins to speak: as another when it was given to another participant. */
  #nowSpeaking(sourceId: string): Speaker | undefined {
    const participantId = this.#options.participantOf(sourceId);
    const last = this.#speakerOf.get(sourceId);
    if (last !== undefined) last.participantId ??= participantId;
    if (last !== undefined && (participantId === null || participantId === last.participantId)) {
      return last;
    }
    if (this.#speakers.size >= MAX_SPEAKERS) return last;
    const speaker = { key: this.#nextKey, sourceId, participantId };
    this.#addSpeaker(speaker);
    return speaker;
  }

  #addSpeaker(speaker: Speaker): void {
    this.#speakers.set(`${speaker.key}`, speaker);
    this.#speakerOf.set(speaker.sourceId, speaker);
    this.#nextKey = Math.max(this.#nextKey, speaker.key + 1);
  }

  #sourcesOf(keys: readonly string[]): string[] {
    return keys.map((key) => this.#speakers.get(key)?.sourceId ?? key);
  }

  #dominantChanged(change: DominantChange): void {
    this.#options.tell(dominantEvent(this.#options, change));
  }
}
