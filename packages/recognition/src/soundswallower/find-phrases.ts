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
 * How the confidence comes about. All sounds of the model are scored in each frame, so what a phrase lacks
 * in nats a frame, to the sound that fits best there, tells of itself how well it fits: over its phones, each
 * as much as another, and in its worst word, so that a look-alike in one word does not pass for its other
 * words. Fitted by logistic regression to prompts that the bench leaves out (92 right, 114 wrong, of 48
 * phrases); the base is moved so that 0.5 loses few of the right.
 */
const BASE = 8.2;
const PHONES_WEIGHT = 0.87;
const WORST_WORD_WEIGHT = 0.61;
/** Longer phrases are surer, up to a length. */
const PHONE_BONUS = 0.23;
const USUAL_PHONES = 9;
const MOST_PHONES = 12;
/** Nobody speaks a phrase faster: mean time of a phone, and what each ms less costs. */
const HASTY_PHONE_MS = 60;
const HASTY_PER_MS = 0.032;

/** Phrases of fewer phones are in half of all words: they are told where they stand alone. */
const SHORT_PHONES = 4;
/** Those of fewer are within longer words: they are told at a pause, before or after. */
const MEDIUM_PHONES = 7;
const PAUSE_MS = 80;
const PAUSE_WITHIN_MS = 160;
const PAUSE_STEP_MS = 20;
const PAUSE_BELOW_DB = 18;

/** Whether there is anything in an alignment to look at more closely. */
export function hasPhrases(aligned: readonly AlignedSegment[]): boolean {
  return candidates(aligned).length > 0;
}

/** The phrases of an utterance; those without the pauses that they need are left out. */
export function findPhrases(
  pcm: Int16Array,
  aligned: readonly AlignedSegment[],
): readonly FoundPhrase[] {
  const all = candidates(aligned);
  return all.filter((_, index) => hasPauses(pcm, all, index)).map(toPhrase);
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

function toPhrase(candidate: Candidate): FoundPhrase {
  const { words } = candidate;
  const { startMs, endMs } = spanOf(candidate);
  const phones = words.flatMap(({ w = [] }) => w);
  const count = Math.max(1, phones.length);
  const meanNats = phones.reduce((sum, phone) => sum + natsAFrame(phone), 0) / count;
  const worstNats = Math.max(...words.map(natsAFrame));
  const base = BASE + PHONE_BONUS * (Math.min(count, MOST_PHONES) - USUAL_PHONES);
  const hasty = HASTY_PER_MS * Math.max(0, HASTY_PHONE_MS - (endMs - startMs) / count);
  return {
    key: words.map(textOf).join(' '),
    startMs,
    endMs,
    words: words.map((word) => ({
      text: textOf(word),
      startMs: toMs(word.b),
      endMs: toMs(endOf(word)),
      confidence: toConfidence(base - (PHONES_WEIGHT + WORST_WORD_WEIGHT) * natsAFrame(word)),
    })),
    confidence: toConfidence(
      base - PHONES_WEIGHT * meanNats - WORST_WORD_WEIGHT * worstNats - hasty,
    ),
  };
}

function spanOf({ words }: Candidate): { readonly startMs: number; readonly endMs: number } {
  return { startMs: toMs(words[0]!.b), endMs: toMs(endOf(words.at(-1)!)) };
}

function phonesIn({ words }: Candidate): number {
  return words.reduce((sum, { w = [] }) => sum + w.length, 0);
}

/** 0 to 1, of the logarithm of the odds. */
function toConfidence(logOdds: number): number {
  return Math.round(1000 / (1 + Math.exp(-logOdds))) / 1000;
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

function natsAFrame(segment: AlignedSegment): number {
  return natsOf(segment) / Math.max(1, Math.round(segment.d * FRAMES_PER_S));
}

function endOf({ b, d }: AlignedSegment): number {
  return b + d;
}

function toMs(seconds: number): number {
  return Math.max(0, Math.round(seconds * 1000));
}
