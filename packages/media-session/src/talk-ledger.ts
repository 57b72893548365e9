/** What a speaker said in all. */
export interface SpeakerTalk {
  readonly speaker: string;
  readonly talkMs: number;
  readonly talkspurts: number;
  /** Of `talkMs`, while another speaker spoke too. */
  readonly overlapMs: number;
}

/** What was said in all. */
export interface TalkTotals {
  /** From when on, and until when, it is known. */
  readonly startMs: number;
  readonly endMs: number;
  /** Somebody spoke. */
  readonly talkMs: number;
  /** Two or more spoke at once. */
  readonly overlapMs: number;
  readonly speakers: readonly SpeakerTalk[];
}

/** Takes stretches of time, one after the other, in each of which the same speakers spoke. */
export type StretchSink = (speaking: readonly string[], fromMs: number, toMs: number) => void;

export interface TalkLedgerOptions {
  /** Nothing before is counted: another attachment did; undefined: all is. */
  readonly startMs?: number | undefined;
  /** Told of each stretch as it is settled. */
  readonly onStretch?: StretchSink;
}

interface Spurt {
  readonly speaker: string;
  readonly startMs: number;
  /** Undefined while it goes on. */
  endMs: number | undefined;
}

interface Account {
  talkMs: number;
  talkspurts: number;
  overlapMs: number;
  lastStartMs: number;
}

/** More speakers are not counted. */
const MAX_SPEAKERS = 1024;

/** More talkspurts do not wait to be settled: those told first are forgotten, and count as none. */
const MAX_SPURTS = 4096;

/** Times of one talkspurt are told the same within this. */
const SAME_MS = 1;

/**
 * Counts who spoke for how long, and who at the same time, from the begins and ends of talkspurts.
 * They are told later than they are, in any order of speakers; so time is settled by `settle`, up to
 * when all is known. What comes too late all the same counts from what is settled on. Where time is not
 * settled, as when it says nothing true, the newest 4096 talkspurts are kept.
 *
 * Pure: the same talkspurts give the same totals, however often time is settled.
 */
export class TalkLedger {
  readonly #onStretch: StretchSink;
  readonly #accounts = new Map<string, Account>();
  /** Those not settled to their end. */
  #spurts: Spurt[] = [];
  #startMs: number | undefined;
  #settledMs: number;
  #talkMs = 0;
  #overlapMs = 0;

  constructor({ startMs, onStretch = () => {} }: TalkLedgerOptions = {}) {
    this.#onStretch = onStretch;
    this.#startMs = startMs;
    this.#settledMs = startMs ?? Number.NEGATIVE_INFINITY;
  }

  /** A talkspurt began. */
  started(speaker: string, startMs: number): void {
    const account = this.#accountOf(speaker);
    if (account === undefined || startMs < account.lastStartMs + SAME_MS) return;
    const open = this.#spurts.find((each) => each.speaker === speaker && each.endMs === undefined);
    // Its end will be told, or it was lost.
    if (open !== undefined) open.endMs = startMs;
    this.#begin(account, { speaker, startMs, endMs: undefined });
  }

  /** A talkspurt ended; its begin may not have been told here. */
  ended(speaker: string, startMs: number, endMs: number): void {
    const isIt = (each: Spurt): boolean =>
      each.speaker === speaker && Math.abs(each.startMs - startMs) < SAME_MS;
    const known = this.#spurts.find(isIt);
    if (known !== undefined) {
      known.endMs = Math.max(endMs, known.startMs);
      return;
    }
    const account = this.#accountOf(speaker);
    if (account === undefined || startMs < account.lastStartMs + SAME_MS) return;
    this.#begin(account, { speaker, startMs, endMs });
  }

  /** All before `untilMs` is known now. */
  settle(untilMs: number): void {
    if (!(untilMs > this.#settledMs)) return;
    this.#startMs ??= untilMs;
    const times = [
      untilMs,
      ...this.#spurts.flatMap(({ startMs, endMs }) => [startMs, endMs ?? startMs]),
    ];
    let fromMs = Number.isFinite(this.#settledMs) ? this.#settledMs : Math.min(...times);
    for (const toMs of times.sort((a, b) => a - b)) {
      if (toMs > untilMs) break;
      if (toMs > fromMs) this.#count(fromMs, toMs);
      fromMs = Math.max(fromMs, toMs);
    }
    this.#settledMs = untilMs;
    this.#spurts = this.#spurts.filter(({ endMs = untilMs + 1 }) => endMs > untilMs);
  }

  /** As far as it is settled. */
  get totals(): TalkTotals {
    const endMs = Number.isFinite(this.#settledMs) ? this.#settledMs : 0;
    return {
      startMs: this.#startMs ?? endMs,
      endMs,
      talkMs: this.#talkMs,
      overlapMs: this.#overlapMs,
      speakers: Array.from(this.#accounts, ([speaker, { talkMs, talkspurts, overlapMs }]) => ({
        speaker,
        talkMs,
        talkspurts,
        overlapMs,
      })),
    };
  }

  #begin(account: Account, spurt: Spurt): void {
    account.talkspurts += 1;
    account.lastStartMs = spurt.startMs;
    this.#startMs = Math.min(
      this.#startMs ?? spurt.startMs,
      Math.max(spurt.startMs, this.#settledMs),
    );
    this.#spurts.push(spurt);
    if (this.#spurts.length > MAX_SPURTS) this.#spurts.shift();
  }

  #accountOf(speaker: string): Account | undefined {
    const known = this.#accounts.get(speaker);
    if (known !== undefined || this.#accounts.size >= MAX_SPEAKERS) return known;
    const account = {
      talkMs: 0,
      talkspurts: 0,
      overlapMs: 0,
      lastStartMs: Number.NEGATIVE_INFINITY,
    };
    this.#accounts.set(speaker, account);
    return account;
  }

  /** A stretch in which nobody begins or ends. */
  #count(fromMs: number, toMs: number): void {
    const speaking = this.#spurts
      .filter(({ startMs, endMs = toMs }) => startMs <= fromMs && endMs >= toMs)
      .map(({ speaker }) => speaker);
    const isOverlap = speaking.length > 1;
    const durationMs = toMs - fromMs;
    for (const speaker of speaking) {
      const account = this.#accounts.get(speaker);
      if (account === undefined) continue;
      account.talkMs += durationMs;
      if (isOverlap) account.overlapMs += durationMs;
    }
    if (speaking.length > 0) this.#talkMs += durationMs;
    if (isOverlap) this.#overlapMs += durationMs;
    this.#onStretch(speaking, fromMs, toMs);
  }
}
