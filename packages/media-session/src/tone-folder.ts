import type { MediaEventDraft } from './media-event.js';

/** The event of a tone, as each of its sources would tell it alone. */
export type ToneDraft = Extract<MediaEventDraft, { type: 'tone.detected' }>;

/** Reports of one key press are so far apart at most. */
export const SAME_PRESS_MS = 150;

/** A tone of an unknown source waits so long for a report that names it. */
export const NAMING_WAIT_MS = 250;

/** It waits for so long in all while streams are behind, which a busy worker's may be. */
export const LATE_NAMING_WAIT_MS = 1000;

/** How soon it is looked again whether they are. */
const LOOK_AGAIN_MS = 20;

/** The same report, come again, may be off by this much; presses of one key never are so close. */
const SAME_REPORT_MS = 30;

/** What was told is remembered for so long: a key may be held for a while before it is heard to end. */
const REMEMBERED_MS = 60_000;

/** More are forgotten, oldest first. */
const MAX_REMEMBERED = 256;

/** More do not wait: the one that began first is told as it is. */
const MAX_WAITING = 64;

/** What was told so lately is handed on: what another worker hears again reaches back by seconds. */
const HANDED_ON_MS = 15_000;

/** One report of a tone. */
export interface ToneReport {
  /** Who reported: two of one way are two tones. */
  readonly way: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** One tone, and all reports of it so far. */
export interface ReportedTone {
  /** The digit, or the kind of another tone. */
  readonly sound: string;
  readonly sourceId: string | null;
  readonly reports: readonly ToneReport[];
}

interface WaitingTone extends ReportedTone {
  readonly draft: ToneDraft;
  untilMs: number;
  /** It is told then, whoever is behind. */
  readonly latestMs: number;
}

/** What a folder knows, as plain JSON, for one that goes on elsewhere. */
export interface ToneFolderState {
  readonly told: readonly ReportedTone[];
}

export interface ToneFolderOptions {
  /** Takes what is to be told, in order. */
  tell(draft: ToneDraft): void;
  /** Whether streams that name a source are behind: what they heard meanwhile comes. @defaultValue none is */
  areBehind?(): boolean;
  /** Where another folder left off. */
  readonly state?: ToneFolderState | undefined;
}

/**
 * Makes one event of the reports of one tone: by the media host, and by each stream in which it is
 * heard. The first report is told at once, and later ones of the same tone are dropped; but one
 * that names no source waits a little for one that does, where there are streams with a source.
 *
 * Two reports are of one tone when they say the same digit, come in different ways, name the same
 * source unless one names none, and begin within 150 ms of one another; of one whose length is
 * unknown the begin may also lie within the heard tone, or 150 ms from its end. A report that came
 * before, as after a replay, is dropped.
 *
 * Pure: `nowMs` of one monotonic clock is given, and only the wait depends on it.
 */
export class ToneFolder {
  readonly #tell: (draft: ToneDraft) => void;
  readonly #areBehind: () => boolean;
  /** In the order of their telling. */
  #told: ReportedTone[];
  /** None of them ended before it. */
  #oldestEndMs = Number.NEGATIVE_INFINITY;
  /** In the order of their begin. */
  readonly #waiting: WaitingTone[] = [];
  #folded = 0;
  #again = 0;

  constructor({ tell, areBehind = () => false, state }: ToneFolderOptions) {
    this.#tell = tell;
    this.#areBehind = areBehind;
    this.#told = [...(state?.told ?? [])];
  }

  /** Reports that told of a tone that another report had told of. */
  get folded(): number {
    return this.#folded;
  }

  /** Reports that came before. */
  get again(): number {
    return this.#again;
  }

  /** When `advance` has something to tell; undefined: nothing waits. */
  get deadlineMs(): number | undefined {
    return this.#waiting[0]?.untilMs;
  }

  /** What another folder needs to go on; what waits is not in it. */
  get state(): ToneFolderState {
    let newestMs = Number.NEGATIVE_INFINITY;
    for (const tone of this.#told) newestMs = Math.max(newestMs, endOf(tone));
    return { told: this.#told.filter((tone) => endOf(tone) >= newestMs - HANDED_ON_MS) };
  }

  /**
   * Which one a report is, from 0, of those that one way gives of the same ms: tells them apart in
   * ids, as their sounds would. The same again when they come again, in the same order.
   */
  ordinalOf(sound: string, way: string, startMs: number): number {
    const atMs = Math.round(startMs);
    const known = [...this.#told, ...this.#waiting].filter(({ reports }) =>
      reports.some((each) => each.way === way && Math.round(each.startMs) === atMs),
    );
    const own = known.findIndex((tone) => tone.sound === sound);
    return own < 0 ? known.length : own;
  }

  /**
   * Takes a report.
   *
   * @param way who reports: the same for all reports of one detector, and no other's
   * @param hasNamed whether there are streams that could name the source of one that has none
   */
  accept(draft: ToneDraft, way: string, nowMs: number, hasNamed: boolean): void {
    const { startMs, durationMs } = draft.data;
    const report = { way, startMs, endMs: startMs + durationMs };
    const sound = draft.data.digit ?? draft.data.kind;
    const tone: ReportedTone = { sound, sourceId: draft.sourceId, reports: [report] };
    this.#forget(report.endMs);
    if (this.#isAgain(tone, report)) {
      this.#again += 1;
    } else if (!this.#foldIntoTold(tone, report) && !this.#foldIntoWaiting(tone, draft, nowMs)) {
      const mayBeNamed = hasNamed && draft.sourceId === null;
      const untilMs = mayBeNamed ? nowMs + NAMING_WAIT_MS : nowMs;
      const latestMs = mayBeNamed ? nowMs + LATE_NAMING_WAIT_MS : nowMs;
      this.#wait({ ...tone, draft, untilMs, latestMs });
    }
    this.advance(nowMs);
  }

  /** Tells what has waited for long enough. */
  advance(nowMs: number): void {
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      if (first.untilMs > nowMs) return;
      if (nowMs < first.latestMs && this.#areBehind()) {
        first.untilMs = Math.min(nowMs + LOOK_AGAIN_MS, first.latestMs);
        return;
      }
      this.#tellFirst();
    }
  }

  /** Tells all that waits. */
  flush(): void {
    while (this.#waiting.length > 0) this.#tellFirst();
  }

  #isAgain(tone: ReportedTone, { way, startMs }: ToneReport): boolean {
    const isSame = (each: ToneReport): boolean =>
      each.way === way && Math.abs(each.startMs - startMs) < SAME_REPORT_MS;
    const has = (each: ReportedTone): boolean =>
      each.sound === tone.sound &&
      isSameSource(each.sourceId, tone.sourceId) &&
      each.reports.some(isSame);
    return this.#told.some(has) || this.#waiting.some(has);
  }

  #foldIntoTold(tone: ReportedTone, report: ToneReport): boolean {
    // The one told first, not the nearest: so each of two quick presses finds its own.
    const index = this.#told.findIndex((told) => isSamePress(told, tone, report));
    if (index < 0) return false;
    this.#told[index] = merge(this.#told[index]!, tone);
    this.#folded += 1;
    return true;
  }

  #foldIntoWaiting(tone: ReportedTone, draft: ToneDraft, nowMs: number): boolean {
    const index = this.#waiting.findIndex((each) => isSamePress(each, tone, tone.reports[0]!));
    const waiting = this.#waiting[index];
    if (waiting === undefined) return false;
    const better = worth(draft) > worth(waiting.draft) ? draft : waiting.draft;
    const { untilMs, latestMs } =
      better.sourceId === null ? waiting : { untilMs: nowMs, latestMs: nowMs };
    this.#waiting[index] = { ...merge(waiting, tone), draft: better, untilMs, latestMs };
    this.#folded += 1;
    return true;
  }

  #wait(tone: WaitingTone): void {
    const after = this.#waiting.findIndex((each) => each.draft.data.startMs > beginOf(tone));
    this.#waiting.splice(after < 0 ? this.#waiting.length : after, 0, tone);
    if (this.#waiting.length > MAX_WAITING) this.#tellFirst();
  }

  #tellFirst(): void {
    const { draft, untilMs: _, latestMs: __, ...tone } = this.#waiting.shift()!;
    this.#told.push(tone);
    this.#oldestEndMs = Math.min(this.#oldestEndMs, endOf(tone));
    this.#tell(draft);
  }

  #forget(nowMs: number): void {
    const sinceMs = nowMs - REMEMBERED_MS;
    if (this.#oldestEndMs < sinceMs) {
      this.#told = this.#told.filter((tone) => endOf(tone) >= sinceMs);
      this.#oldestEndMs = Math.min(...this.#told.map(endOf));
    }
    while (this.#told.length >= MAX_REMEMBERED) this.#told.shift();
  }
}

/** Whether a report, the only one of `tone`, tells of `known` in a way of its own. */
function isSamePress(
  known: ReportedTone,
  tone: ReportedTone,
  { way, startMs, endMs }: ToneReport,
): boolean {
  if (known.sound !== tone.sound || !isSameSource(known.sourceId, tone.sourceId)) return false;
  if (known.reports.some((each) => each.way === way)) return false;
  return known.reports.some((each) => isNear(each, { startMs, endMs }));
}

function isSameSource(a: string | null, b: string | null): boolean {
  return a === null || b === null || a === b;
}

function isNear(a: Omit<ToneReport, 'way'>, b: Omit<ToneReport, 'way'>): boolean {
  if (Math.abs(a.startMs - b.startMs) <= SAME_PRESS_MS) return true;
  if (a.endMs > a.startMs && b.endMs > b.startMs) return false;
  return a.startMs <= b.endMs + SAME_PRESS_MS && b.startMs <= a.endMs + SAME_PRESS_MS;
}

function merge(known: ReportedTone, tone: ReportedTone): ReportedTone {
  const { sound, sourceId } = known;
  return {
    sound,
    sourceId: sourceId ?? tone.sourceId,
    reports: [...known.reports, ...tone.reports],
  };
}

/** A name is worth more than length and level. */
function worth({ sourceId, data }: ToneDraft): number {
  return (sourceId === null ? 0 : 2) + (data.durationMs > 0 ? 1 : 0);
}

function beginOf(tone: WaitingTone): number {
  return tone.draft.data.startMs;
}

function endOf({ reports }: ReportedTone): number {
  let latestMs = Number.NEGATIVE_INFINITY;
  for (const { endMs } of reports) latestMs = Math.max(latestMs, endMs);
  return latestMs;
}
