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

/** What a ledger knows, as plain JSON, for one that goes on elsewhere. */
export interface TalkLedgerState {
  /** Null before anything is known. */
  readonly startMs: number | null;
  readonly settledMs: number | null;
  readonly talkMs: number;
  readonly overlapMs: number;
  readonly speakers: readonly SpeakerAccount[];
  /** Talkspurts not settled to their end, which is null while they go on. */
  readonly spurts: readonly (readonly [speaker: string, startMs: number, endMs: number | null])[];
}

/** `lastStartMs` is that of the newest talkspurt; null before the first. */
export type SpeakerAccount = readonly [
  speaker: string,
  talkMs: number,
  talkspurts: number,
  overlapMs: number,
  lastStartMs: number | null,
];

/** Takes stretches of time, one after the other, in each of which the same speakers spoke. */
export type StretchSink = (speaking: readonly string[], fromMs: number, toMs: number) => void;

export interface TalkLedgerOptions {
  /** Where another ledger left off. */
  readonly state?: TalkLedgerState | null | undefined;
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

/** Of more speakers, those who speak now and those who spoke longest are handed on. */
const MAX_HANDED_ON = 100;

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
 * Pure: the same talkspurts give the same totals, however often time is settled, and wherever another
 * ledger goes on by the state of this one; talkspurts that are told to it again count once.
 */
export class TalkLedger {
  readonly #onStretch: StretchSink;
  readonly #accounts = new Map<string, Account>();
  /** Those not settled to their end. */
  #spurts: Spurt[] = [];
  #startMs: number | undefined;
  #settledMs: number;
  #talkMs: number;
  #overlapMs: number;

  constructor({ state, onStretch = () => {} }: TalkLedgerOptions = {}) {
    this.#onStretch = onStretch;
    this.#startMs = state?.startMs ?? undefined;
    this.#settledMs = state?.settledMs ?? Number.NEGATIVE_INFINITY;
    this.#talkMs = state?.talkMs ?? 0;
    this.#overlapMs = state?.overlapMs ?? 0;
    for (const [speaker, talkMs, talkspurts, overlapMs, lastMs] of state?.speakers ?? []) {
      const lastStartMs = lastMs ?? Number.NEGATIVE_INFINITY;
      this.#accounts.set(speaker, { talkMs, talkspurts, overlapMs, lastStartMs });
    }
    for (const [speaker, startMs, endMs] of state?.spurts ?? []) {
      this.#spurts.push({ speaker, startMs, endMs: endMs ?? undefined });
    }
  }

  /** What another ledger needs to go on from here. */
  get state(): TalkLedgerState {
    const accounts = this.#handedOn();
    const speakers = Array.from(
      accounts,
      ([speaker, { talkMs, talkspurts, overlapMs, lastStartMs }]): SpeakerAccount => [
        speaker,
        talkMs,
        talkspurts,
        overlapMs,
        orNull(lastStartMs),
      ],
    );
    const spurts = this.#spurts
      .filter(({ speaker }) => accounts.has(speaker))
      .slice(-MAX_HANDED_ON * 2)
      .map(({ speaker, startMs, endMs }) => [speaker, startMs, endMs ?? null] as const);
    return {
      startMs: this.#startMs ?? null,
      settledMs: orNull(this.#settledMs),
      talkMs: this.#talkMs,
      overlapMs: this.#overlapMs,
      speakers,
      spurts,
    };
  }

  /** Whether a talkspurt was told that began then, or a later one. */
  hasBegun(speaker: string, startMs: number): boolean {
    const { lastStartMs } = this.#accounts.get(speaker) ?? {
      lastStartMs: Number.NEGATIVE_INFINITY,
    };
    return startMs < lastStartMs + SAME_MS;
  }

  /** A talkspurt began. */
  started(speaker: string, startMs: number): void {
    const account = this.#accountOf(speaker);
    if (account === undefined || this.hasBegun(speaker, startMs)) return;
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
    if (account === undefined || this.hasBegun(speaker, startMs)) return;
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

  #handedOn(): ReadonlyMap<string, Account> {
    if (this.#accounts.size <= MAX_HANDED_ON) return this.#accounts;
    const speaking = new Set(this.#spurts.map(({ speaker }) => speaker));
    const rank = ([speaker, { talkMs }]: readonly [string, Account]): number =>
      speaking.has(speaker) ? Number.MAX_VALUE : talkMs;
    const all = [...this.#accounts];
    const first = all.toSorted((one, other) => rank(other) - rank(one)).slice(0, MAX_HANDED_ON);
    const kept = new Set(first);
    return new Map(all.filter((each) => kept.has(each)));
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

function orNull(ms: number): number | null {
  return ms === Number.NEGATIVE_INFINITY ? null : ms;
}
