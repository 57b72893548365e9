/** Who mostly speaks has changed. */
export interface DominantChange {
  /** Null for nobody. */
  readonly speaker: string | null;
  readonly previous: string | null;
  readonly sinceMs: number;
  readonly origin: 'heard' | 'host';
}

/** What one knows, as plain JSON, for one that goes on elsewhere. */
export interface DominantSpeakerState {
  readonly current: string | null;
  /** The media host tells who dominates. */
  readonly isHosts: boolean;
  readonly quietMs: number;
  /** How much each said lately, and of the present look's time. */
  readonly lately: readonly SpokenTime[];
  readonly now: readonly SpokenTime[];
}

export type SpokenTime = readonly [speaker: string, spokenMs: number];

/** Looks are taken at multiples of this on the media clock. */
const LOOK_MS = 100;

/** What was said counts the less the longer ago it is: to a third in this time. */
const FADE_MS = 2000;

/** So much has to be said lately before one dominates: 1 s of speech at once, and no cough. */
const LEAST_MS = 800;

/** Who takes over must have said so much more lately than who dominates. */
const LEAD = 1.25;

/** Nobody dominates after so much silence. */
const NOBODY_AFTER_MS = 5000;

/** Nothing changes any more in a stretch that is longer. */
const LONGEST_MS = 30_000;

/** Said less lately than this: forgotten. */
const NOTHING_MS = 1;

/** Of more who spoke lately, those who said most are handed on. */
const MAX_HANDED_ON = 100;

const FADE = Math.exp(-LOOK_MS / FADE_MS);

/**
 * Who mostly speaks, from stretches of time with those who spoke in them. One takes over from another
 * who has said more in the last seconds, so neither a cough does nor an interjection; a pause changes
 * nothing, but for a long one.
 *
 * A media host that tells who dominates knows better: from its first word on only its word counts.
 *
 * Pure: the same stretches give the same changes, wherever they are cut, also into those of one and of
 * another that goes on by its state. A stretch at a time that no
 * number counts on from, beyond 2^53 ms, is let be.
 */
export class DominantSpeaker {
  readonly #onChange: (change: DominantChange) => void;
  /** How much each said lately, ms. */
  readonly #lately: Map<string, number>;
  /** What of the present look's time each spoke, ms. */
  readonly #now: Map<string, number>;
  #quietMs: number;
  #current: string | null;
  #isHosts: boolean;

  /** @param state where another left off */
  constructor(onChange: (change: DominantChange) => void, state?: DominantSpeakerState) {
    this.#onChange = onChange;
    this.#lately = new Map(state?.lately);
    this.#now = new Map(state?.now);
    this.#quietMs = state?.quietMs ?? 0;
    this.#current = state?.current ?? null;
    this.#isHosts = state?.isHosts ?? false;
  }

  /** What another needs to go on from here. */
  get state(): DominantSpeakerState {
    return {
      current: this.#current,
      isHosts: this.#isHosts,
      quietMs: this.#quietMs,
      lately: most(this.#lately),
      now: most(this.#now),
    };
  }

  get current(): string | null {
    return this.#current;
  }

  /** The media host says who dominates; null for nobody. */
  hostSays(speaker: string | null, sinceMs: number): void {
    this.#isHosts = true;
    this.#change(speaker, sinceMs, 'host');
  }

  /** Takes a stretch of time that follows the one before. */
  stretch(speaking: readonly string[], fromMs: number, toMs: number): void {
    if (this.#isHosts || !Number.isSafeInteger(Math.round(fromMs))) return;
    const endMs = Math.min(toMs, fromMs + LONGEST_MS);
    for (let atMs = fromMs; atMs < endMs; ) {
      const lookMs = (Math.floor(atMs / LOOK_MS) + 1) * LOOK_MS;
      const nextMs = Math.min(lookMs, endMs);
      for (const speaker of speaking) {
        this.#now.set(speaker, (this.#now.get(speaker) ?? 0) + nextMs - atMs);
      }
      if (nextMs === lookMs) this.#look(lookMs);
      atMs = nextMs;
    }
  }

  #look(atMs: number): void {
    for (const [speaker, lately] of this.#lately) {
      if (lately < NOTHING_MS && !this.#now.has(speaker)) this.#lately.delete(speaker);
      else this.#lately.set(speaker, lately * FADE);
    }
    for (const [speaker, spokenMs] of this.#now) {
      this.#lately.set(speaker, (this.#lately.get(speaker) ?? 0) + spokenMs);
    }
    this.#quietMs = this.#now.size > 0 ? 0 : this.#quietMs + LOOK_MS;
    const next = this.#next();
    this.#now.clear();
    this.#change(next, atMs, 'heard');
  }

  #next(): string | null {
    if (this.#quietMs >= NOBODY_AFTER_MS) return null;
    const ownMs = this.#current === null ? 0 : (this.#lately.get(this.#current) ?? 0);
    let best = this.#current;
    let mostMs = Math.max(LEAST_MS, ownMs * LEAD);
    for (const speaker of this.#now.keys()) {
      const lately = this.#lately.get(speaker) ?? 0;
      if (speaker === this.#current || lately < mostMs) continue;
      best = speaker;
      mostMs = lately;
    }
    return best;
  }

  #change(speaker: string | null, sinceMs: number, origin: DominantChange['origin']): void {
    const previous = this.#current;
    if (speaker === previous) return;
    this.#current = speaker;
    this.#onChange({ speaker, previous, sinceMs, origin });
  }
}

/** In their order. */
function most(spoken: ReadonlyMap<string, number>): SpokenTime[] {
  const all = [...spoken];
  if (all.length <= MAX_HANDED_ON) return all;
  const longest = all.toSorted(([, one], [, other]) => other - one).slice(0, MAX_HANDED_ON);
  const kept = new Set(longest);
  return all.filter((each) => kept.has(each));
}
