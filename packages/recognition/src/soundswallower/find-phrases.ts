import type { RecognizedWord } from '../recognizer.js';
import { RECOGNIZER_SAMPLE_RATE_HZ } from '../recognizer.js';
import type { AlignedSegment } from './module.js';
import { FILLER_PREFIX } from './phrase-grammar.js';

/** A phrase in an utterance; ms from the utterance's first sample. */
export interface FoundPhrase {
  /** Its words as the dictionary has them. */
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly words: readonly RecognizedWord[];
  /** 0 to 1; from 0.5 on it is likelier spoken than not. */
  readonly confidence: number;
}

/** Words that belong together, because no other speech is between them. */
interface Candidate {
  readonly words: readonly AlignedSegment[];
}

/** The decoder's scores are in steps of 1/1024 of a nat-like unit; this makes nats of them. */
const SCORE_SCALE = 1024;
const SMALLEST_POWER = 1e-9;
const FRAMES_PER_S = 100;

/**
 * How the confidence comes about, in nats a frame: how much worse than free speech the phrase fits, to
 * which its worst word adds, so that a look-alike in one word does not pass for its other words. Chosen
 * on the half of the prompts that the bench leaves out; see the README.
 */
const LIMIT_NATS = 0.9;
const SPREAD_NATS = 0.3;
const WORST_WORD_WEIGHT = 0.2;

/** Nobody speaks a phrase faster: mean time of a phone, and what each ms less costs. */
const HASTY_PHONE_MS = 60;
const HASTY_NATS_PER_MS = 0.3;

/** Phrases of fewer phones are in half of all words: they are told where they stand alone. */
const SHORT_PHONES = 4;
/** Those of fewer are within longer words: they are told at a pause, before or after, and if they fit better. */
const MEDIUM_PHONES = 7;
const MEDIUM_NATS = 0.1;
const PAUSE_MS = 80;
const PAUSE_WITHIN_MS = 160;
const PAUSE_STEP_MS = 20;
const PAUSE_BELOW_DB = 18;

/** Whether there is anything in an alignment to look at more closely. */
export function hasPhrases(aligned: readonly AlignedSegment[]): boolean {
  return candidates(aligned).length > 0;
}

/**
 * The phrases of an utterance with what speaks for each.
 *
 * @param aligned by the grammar of the phrases.
 * @param free the same utterance by phones alone: what fits best whatever was said.
 */
export function findPhrases(
  pcm: Int16Array,
  aligned: readonly AlignedSegment[],
  free: readonly AlignedSegment[],
): readonly FoundPhrase[] {
  const all = candidates(aligned);
  return all
    .filter((_, index) => hasPauses(pcm, all, index))
    .map((candidate) => toPhrase(candidate, free));
}

/** Whether any phrase has the pauses that it needs, so that it is worth to be compared. */
export function hasPlausiblePhrases(pcm: Int16Array, aligned: readonly AlignedSegment[]): boolean {
  const all = candidates(aligned);
  return all.some((_, index) => hasPauses(pcm, all, index));
}

function candidates(aligned: readonly AlignedSegment[]): readonly Candidate[] {
  const found: Candidate[] = [];
  let words: AlignedSegment[] = [];
  for (const segment of aligned) {
    if (segment.t.startsWith(FILLER_PREFIX)) {
      if (words.length > 0) found.push({ words });
      words = [];
    } else if (isWord(segment)) words.push(segment);
  }
  if (words.length > 0) found.push({ words });
  return found;
}

/** Not `<sil>`, `[NOISE]` or `(NULL)`. */
function isWord({ t }: AlignedSegment): boolean {
  return !/^[<[(]/.test(t);
}

function toPhrase(candidate: Candidate, free: readonly AlignedSegment[]): FoundPhrase {
  const { words } = candidate;
  const { startMs, endMs } = spanOf(candidate);
  const phones = phonesIn(candidate);
  const excesses = words.map((word) => excessNats([word], free));
  const hastyMs = Math.max(0, HASTY_PHONE_MS - (endMs - startMs) / Math.max(1, phones));
  const badness =
    excessNats(words, free) +
    WORST_WORD_WEIGHT * Math.max(0, ...excesses) +
    HASTY_NATS_PER_MS * hastyMs +
    (phones < MEDIUM_PHONES ? MEDIUM_NATS : 0);
  return {
    key: words.map(textOf).join(' '),
    startMs,
    endMs,
    words: words.map((word, index) => ({
      text: textOf(word),
      startMs: toMs(word.b),
      endMs: toMs(endOf(word)),
      confidence: confidenceOf(excesses[index]!),
    })),
    confidence: confidenceOf(badness),
  };
}

function spanOf({ words }: Candidate): { readonly startMs: number; readonly endMs: number } {
  return { startMs: toMs(words[0]!.b), endMs: toMs(endOf(words.at(-1)!)) };
}

function phonesIn({ words }: Candidate): number {
  return words.reduce((sum, { w = [] }) => sum + w.length, 0);
}

/** By how much words fit worse than free phones do in the same time, nats a frame. */
function excessNats(words: readonly AlignedSegment[], free: readonly AlignedSegment[]): number {
  let nats = 0;
  let frames = 0;
  for (const word of words) {
    nats += natsOf(word);
    frames += framesOf(word);
    for (const phone of free) {
      const sharedS = Math.min(endOf(word), endOf(phone)) - Math.max(word.b, phone.b);
      if (sharedS > 0) nats -= (natsOf(phone) * sharedS) / phone.d;
    }
  }
  return nats / Math.max(1, frames);
}

function confidenceOf(badness: number): number {
  const confidence = 1 / (1 + Math.exp((badness - LIMIT_NATS) / SPREAD_NATS));
  return Math.round(confidence * 1000) / 1000;
}

/** A pause, the utterance's edge or another phrase: on both sides of the shortest, beside the short. */
function hasPauses(pcm: Int16Array, all: readonly Candidate[], index: number): boolean {
  const phones = phonesIn(all[index]!);
  if (phones >= MEDIUM_PHONES) return true;
  const { startMs, endMs } = spanOf(all[index]!);
  const limit = powerOf(pcm, startMs, endMs) * 10 ** (-PAUSE_BELOW_DB / 10);
  const before = all[index - 1];
  const after = all[index + 1];
  const isAfterPause =
    (before !== undefined && startMs - spanOf(before).endMs < PAUSE_WITHIN_MS) ||
    hasPause(pcm, startMs - PAUSE_WITHIN_MS, startMs, limit);
  const isBeforePause =
    (after !== undefined && spanOf(after).startMs - endMs < PAUSE_WITHIN_MS) ||
    hasPause(pcm, endMs, endMs + PAUSE_WITHIN_MS, limit);
  return phones < SHORT_PHONES ? isAfterPause && isBeforePause : isAfterPause || isBeforePause;
}

/** Beyond the edges all is quiet. */
function hasPause(pcm: Int16Array, fromMs: number, toMs: number, limit: number): boolean {
  // Counted, as an engine's time may be too great to be added to.
  const last = Math.floor((toMs - PAUSE_MS - fromMs) / PAUSE_STEP_MS);
  for (let step = 0; step <= last; step += 1) {
    const ms = fromMs + step * PAUSE_STEP_MS;
    if (powerOf(pcm, ms, ms + PAUSE_MS) < limit) return true;
  }
  return false;
}

function powerOf(pcm: Int16Array, startMs: number, endMs: number): number {
  const perMs = RECOGNIZER_SAMPLE_RATE_HZ / 1000;
  const from = Math.max(0, Math.round(startMs * perMs));
  const to = Math.min(pcm.length, Math.round(endMs * perMs));
  let sum = 0;
  for (let i = from; i < to; i += 1) sum += pcm[i]! ** 2;
  return sum / Math.max(1, (endMs - startMs) * perMs);
}

function textOf({ t }: AlignedSegment): string {
  return t.replace(/\(\d+\)$/, '');
}

function natsOf({ p }: AlignedSegment): number {
  return -Math.log(Math.max(p, SMALLEST_POWER)) * SCORE_SCALE;
}

function framesOf({ d }: AlignedSegment): number {
  return Math.max(1, Math.round(d * FRAMES_PER_S));
}

function endOf({ b, d }: AlignedSegment): number {
  return b + d;
}

function toMs(seconds: number): number {
  return Math.max(0, Math.round(seconds * 1000));
}
