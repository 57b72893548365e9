import type { TimedWord, WordPlace } from './word-places.js';
import { placesOfWords } from './word-places.js';

/** Sound that was lost. Times are ms on the call's media clock. */
export interface Gap {
  readonly startMs: number;
  readonly durationMs: number;
}

/** Of less no word is lost: what is missing at one place is marked from here on. */
export const MIN_MARKED_MS = 200;

/** Times are rounded: what follows within so much follows at once. */
const ROUNDING_MS = 1;

/** Finds the marks in a text. */
export const GAP_MARK: RegExp = /\[lost \d+\.\d s\]/g;

/** An utterance's text, and what says where in it sound was lost. */
export interface TextWithGaps {
  /** Marks in it are made anew. */
  readonly text: string;
  /** In order; empty when there are no word times. */
  readonly words: readonly TimedWord[];
  readonly gaps: readonly Gap[];
  /** Of the utterance: the place of a gap where there are no word times. */
  readonly startMs?: number | undefined;
  readonly endMs?: number | undefined;
}

/** The mark of so much lost sound, such as `[lost 1.2 s]`. */
export function gapMark(durationMs: number): string {
  return `[lost ${(durationMs / 1000).toFixed(1)} s]`;
}

/**
 * Puts marks such as `[lost 1.2 s]` between the words where sound was lost: by word times, else by
 * the place of the gap in the utterance, else at the end. Gaps between the same two words are one
 * mark, of 200 ms or more. Doing it twice changes nothing.
 */
export function markGaps(options: TextWithGaps): string {
  const text = withoutMarks(options.text);
  const lostAt = new Map<number, number>();
  const placeOf = gapPlacer(text, options);
  for (const gap of mergeGaps(options.gaps)) {
    const offset = placeOf(gap.startMs + gap.durationMs / 2);
    lostAt.set(offset, (lostAt.get(offset) ?? 0) + gap.durationMs);
  }
  const marked = [...lostAt]
    .filter(([, durationMs]) => durationMs >= MIN_MARKED_MS)
    .sort(([a], [b]) => a - b);
  const pieces: string[] = [];
  let from = 0;
  for (const [offset, durationMs] of marked) {
    pieces.push(text.slice(from, offset).trim(), gapMark(durationMs));
    from = offset;
  }
  pieces.push(text.slice(from).trim());
  return pieces.filter((piece) => piece !== '').join(' ');
}

/** The same lost time in order, each part of it once, and what was lost in a row as one. */
export function mergeGaps(gaps: readonly Gap[]): readonly Gap[] {
  const merged: { startMs: number; durationMs: number }[] = [];
  for (const { startMs, durationMs } of [...gaps].sort((a, b) => a.startMs - b.startMs)) {
    const last = merged.at(-1);
    const lastEndMs = last === undefined ? Number.NEGATIVE_INFINITY : endOf(last);
    if (last === undefined || startMs > lastEndMs + ROUNDING_MS)
      merged.push({ startMs, durationMs });
    else last.durationMs = Math.max(lastEndMs, startMs + durationMs) - last.startMs;
  }
  return merged;
}

function endOf({ startMs, durationMs }: Gap): number {
  return startMs + durationMs;
}

function withoutMarks(text: string): string {
  return text.replace(GAP_MARK, ' ').replace(/\s+/g, ' ').trim();
}

/** Says at which offset of the text a time is. */
function gapPlacer(text: string, options: TextWithGaps): (atMs: number) => number {
  const { words, startMs, endMs } = options;
  const places = placesOfWords(text, words);
  if (places !== undefined) return (atMs) => offsetByWords(text, words, places, atMs);
  const spaces = [0, ...Array.from(text.matchAll(/ /g), ({ index }) => index), text.length];
  return (atMs) => {
    if (startMs === undefined || endMs === undefined || endMs <= startMs) return text.length;
    const wanted = ((atMs - startMs) / (endMs - startMs)) * text.length;
    return spaces.reduce((best, at) =>
      Math.abs(at - wanted) < Math.abs(best - wanted) ? at : best,
    );
  };
}

/** Before the first word that is later. */
function offsetByWords(
  text: string,
  words: readonly TimedWord[],
  places: readonly WordPlace[],
  atMs: number,
): number {
  const later = words.findIndex((word) => (word.startMs + word.endMs) / 2 > atMs);
  if (later < 0) return text.length;
  const earliest = later === 0 ? 0 : (places[later - 1]?.end ?? 0);
  let offset = places[later]?.start ?? text.length;
  // A quotation mark or bracket goes with its word.
  while (offset > earliest && text[offset - 1] !== ' ') offset -= 1;
  return offset;
}
