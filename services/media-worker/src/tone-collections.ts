import type { Collection, Digit } from '@earshot/dtmf';
import { DigitCollector } from '@earshot/dtmf';
import type { ToneCollectionSettings } from '@earshot/listening';
import type { ToneDraft } from '@earshot/media-session';
import type { CallEventDraft } from './call-events.js';
import { collectedEvent } from './call-events.js';
import type { SourceCollection } from './call-memory.js';

export interface ToneCollectionsOptions {
  readonly callId: string;
  readonly mediaId: string;
  /** Null: keys are not put together. */
  readonly settings: ToneCollectionSettings | null;
  /** Where another worker left off. */
  readonly states?: readonly SourceCollection[] | undefined;
  tell(event: CallEventDraft): void;
}

/** Up to when all is known of a source; undefined: nothing is. */
export type SettledMs = (sourceId: string | null) => number | undefined;

/** Sources of one call of which keys are put together; more of them are told one by one only. */
const MAX_SOURCES = 1024;

/** Puts the keys of each source of a call together, as `tone.collected`. */
export class ToneCollections {
  readonly #options: ToneCollectionsOptions;
  readonly #collectors = new Map<string | null, DigitCollector>();
  /** Of these a first key is waited for, as soon as it is known what time it is. */
  readonly #open = new Set<string | null>();
  /** Settings changed while nobody could say what time it is for these: their wait begins anew. */
  readonly #toBegin = new Set<string | null>();
  #settings: ToneCollectionSettings | null;

  constructor(options: ToneCollectionsOptions) {
    this.#options = options;
    this.#settings = options.settings;
    if (options.settings === null) return;
    for (const { sourceId, state } of options.states ?? []) {
      this.#collectors.set(sourceId, new DigitCollector(options.settings, state));
    }
  }

  /** For another worker; empty when there is nothing to know. */
  get states(): SourceCollection[] {
    return Array.from(this.#collectors, ([sourceId, { state }]) => ({ sourceId, state }));
  }

  /** Goes on by other settings; null ends what there is of collections. */
  change(settings: ToneCollectionSettings | null, settledMs: SettledMs): void {
    this.advance(settledMs);
    this.#settings = settings;
    if (settings === null) {
      this.end(settledMs(null) ?? 0);
      return;
    }
    for (const [sourceId, collector] of this.#collectors) {
      const nowMs = settledMs(sourceId);
      collector.change(settings, nowMs);
      if (nowMs === undefined) this.#toBegin.add(sourceId);
    }
  }

  /** A source can be heard: its first key may be waited for. */
  expect(sourceId: string | null): void {
    this.#open.add(sourceId);
  }

  /** A source is heard no more since `endMs`: nobody waits for its first key. */
  forget(sourceId: string | null, endMs: number | null): void {
    this.#open.delete(sourceId);
    const collector = this.#collectors.get(sourceId);
    if (collector === undefined) return;
    if (endMs !== null) this.#tell(sourceId, collector.advance(endMs));
    if (collector.state.startMs === null) this.#remove(sourceId);
  }

  press({ sourceId, data }: ToneDraft): void {
    const digit: Digit | null = data.digit;
    const collector = digit === null ? undefined : this.#of(sourceId);
    if (digit === null || collector === undefined) return;
    const { startMs, durationMs } = data;
    this.#tell(sourceId, collector.press({ digit, startMs, endMs: startMs + durationMs }));
  }

  /** Tells what is over because no key came. */
  advance(settledMs: SettledMs): void {
    if (this.#settings === null) return;
    this.#beginWaits(settledMs);
    for (const [sourceId, collector] of this.#collectors) {
      const nowMs = settledMs(sourceId);
      if (nowMs === undefined) continue;
      if (this.#toBegin.delete(sourceId)) collector.begin(nowMs);
      this.#tell(sourceId, collector.advance(nowMs));
    }
  }

  /** The call is over at `endMs`. */
  end(endMs: number): void {
    for (const [sourceId, collector] of this.#collectors) {
      this.#tell(sourceId, collector.advance(endMs));
      const ended = collector.end(endMs);
      if (ended !== undefined) this.#tell(sourceId, [ended]);
    }
    this.#collectors.clear();
    this.#toBegin.clear();
  }

  #remove(sourceId: string | null): void {
    this.#collectors.delete(sourceId);
    this.#toBegin.delete(sourceId);
  }

  #beginWaits(settledMs: SettledMs): void {
    if (this.#settings === null || this.#settings.firstDigitMs === null) return;
    for (const sourceId of this.#open) {
      // The mix has no keys of its own where its sources are heard.
      const isToWait =
        !this.#collectors.has(sourceId) && (sourceId !== null || this.#open.size === 1);
      const nowMs = isToWait ? settledMs(sourceId) : undefined;
      if (nowMs !== undefined) this.#of(sourceId)?.begin(nowMs);
    }
  }

  #of(sourceId: string | null): DigitCollector | undefined {
    const known = this.#collectors.get(sourceId);
    if (known !== undefined || this.#settings === null) return known;
    if (this.#collectors.size >= MAX_SOURCES) return undefined;
    const collector = new DigitCollector(this.#settings);
    this.#collectors.set(sourceId, collector);
    return collector;
  }

  #tell(sourceId: string | null, collections: readonly Collection[]): void {
    const { callId, mediaId, tell } = this.#options;
    for (const collection of collections)
      tell(collectedEvent({ callId, mediaId, sourceId }, collection));
  }
}
