import type { TalkTime } from '@earshot/events';
import type { DominantChange, TalkTotals } from '@earshot/media-session';
import { DominantSpeaker, TalkLedger } from '@earshot/media-session';
import type { CallEventDraft } from './call-events.js';
import { dominantEvent, talkSummaryEvent } from './call-events.js';

export interface CallTalkOptions {
  readonly callId: string;
  readonly mediaId: string;
  readonly epoch: number;
  /** Up to when the attachment before this one counted. */
  readonly startMs: number | undefined;
  /** Whose a source is now, as far as is known. */
  participantOf(sourceId: string): string | null;
  tell(event: CallEventDraft): void;
}

/** A source, for as long as it is one participant's. */
interface Speaker {
  readonly key: string;
  /** Null for the mix. */
  readonly sourceId: string | null;
  /** Null until it is known. */
  participantId: string | null;
}

/** How much later than it is the end of speech is told, beyond what is late anyhow: its hangover. */
const HANGOVER_MS = 550;

/** More speakers are not counted. */
const MAX_SPEAKERS = 1024;

const MIX = 'mix';

/** Who speaks in one attachment of a call: who mostly does, and for how long each did. */
export class CallTalk {
  readonly #options: CallTalkOptions;
  readonly #dominant: DominantSpeaker;
  readonly #ledger: TalkLedger;
  /** The mix, as long as no source is heard by itself. */
  readonly #mix: TalkLedger;
  readonly #speakers = new Map<string, Speaker>();
  /** As which speaker each source speaks now. */
  readonly #speakerOf = new Map<string, Speaker>();

  constructor(options: CallTalkOptions) {
    this.#options = options;
    const { startMs } = options;
    this.#dominant = new DominantSpeaker((change) => this.#dominantChanged(change));
    this.#ledger = new TalkLedger({
      startMs,
      onStretch: (keys, fromMs, toMs) =>
        this.#dominant.stretch(this.#sourcesOf(keys), fromMs, toMs),
    });
    this.#mix = new TalkLedger({ startMs });
  }

  /** The source that dominates; null for nobody. */
  get dominant(): string | null {
    return this.#dominant.current;
  }

  /** Up to when it is counted; null: nothing is. */
  get endMs(): number | null {
    const { endMs } = this.#totals;
    return endMs > 0 ? endMs : null;
  }

  /** Who spoke for how long so far. */
  get speakers(): TalkTime[] {
    return this.#totals.speakers.map(({ speaker: key, ...talk }) => {
      const speaker = this.#speakers.get(key);
      const sourceId = speaker?.sourceId ?? null;
      if (speaker !== undefined && sourceId !== null) {
        speaker.participantId ??= this.#options.participantOf(sourceId);
      }
      return { sourceId, participantId: speaker?.participantId ?? null, ...talk };
    });
  }

  started(sourceId: string | null, startMs: number): void {
    if (sourceId === null) {
      this.#mix.started(MIX, startMs);
      return;
    }
    const speaker = this.#nowSpeaking(sourceId);
    if (speaker !== undefined) this.#ledger.started(speaker.key, startMs);
  }

  ended(sourceId: string | null, startMs: number, endMs: number): void {
    if (sourceId === null) {
      this.#mix.ended(MIX, startMs, endMs);
      return;
    }
    const speaker = this.#speakerOf.get(sourceId) ?? this.#nowSpeaking(sourceId);
    if (speaker !== undefined) this.#ledger.ended(speaker.key, startMs, endMs);
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

  /** Nothing follows: tells who spoke for how long, if anybody did. */
  end(endMs: number): void {
    this.#settleAt(endMs);
    const totals = this.#totals;
    if (totals.talkMs === 0) return;
    this.#options.tell(talkSummaryEvent(this.#options, totals, this.speakers));
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
    const speaker = { key: `${this.#speakers.size}`, sourceId, participantId };
    this.#speakers.set(speaker.key, speaker);
    this.#speakerOf.set(sourceId, speaker);
    return speaker;
  }

  #sourcesOf(keys: readonly string[]): string[] {
    return keys.map((key) => this.#speakers.get(key)?.sourceId ?? key);
  }

  #dominantChanged(change: DominantChange): void {
    this.#options.tell(dominantEvent(this.#options, change));
  }
}
