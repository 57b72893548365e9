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
 * How the confidence comes about, in nats a frame: how much worse than free speech the phrase fits,
 * and how badly its worst phone does. Chosen by measurement; see the README.
 */
const LIMIT_NATS = 1.0;
const SPREAD_NATS = 0.3;
const WORST_FROM_NATS = 8;
const WORST_WEIGHT = 0.06;

/** Phrases of fewer phones are in half of all words: they are told where they stand alone. */
const SHORT_PHONES = 4;
const PAUSE_MS = 80;
const PAUSE_WITHIN_MS = 160;
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
  return candidates(aligned)
    .map((candidate) => toPhrase(candidate, free))
    .filter((phrase, index, all) => isLong(phrase) || standsAlone(pcm, all, index))
    .map(({ phones: _, ...phrase }) => phrase);
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

type Measured = FoundPhrase & { readonly phones: number };

function toPhrase({ words }: Candidate, free: readonly AlignedSegment[]): Measured {
  const startS = words[0]!.b;
  const endS = endOf(words.at(-1)!);
  const phones = words.flatMap((word) => word.w ?? []);
  const excess = excessNats(words, free);
  const worst = phones.reduce((most, phone) => Math.max(most, natsOf(phone) / framesOf(phone)), 0);
  const confidence = confidenceOf(excess, worst);
  return {
    key: words.map(textOf).join(' '),
    startMs: toMs(startS),
    endMs: toMs(endS),
    words: words.map((word) => ({
      text: textOf(word),
      startMs: toMs(word.b),
      endMs: toMs(endOf(word)),
      confidence: confidenceOf(excessNats([word], free), worst),
    })),
    confidence,
    phones: phones.length,
  };
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

function confidenceOf(excess: number, worst: number): number {
  const badness = excess + WORST_WEIGHT * Math.max(0, worst - WORST_FROM_NATS);
  const confidence = 1 / (1 + Math.exp((badness - LIMIT_NATS) / SPREAD_NATS));
  return Math.round(confidence * 1000) / 1000;
}

function isLong({ phones }: Measured): boolean {
  return phones >= SHORT_PHONES;
}

/** A short phrase needs a pause, the utterance's edge or another phrase on both sides. */
function standsAlone(pcm: Int16Array, all: readonly Measured[], index: number): boolean {
  const phrase = all[index]!;
  const level = powerOf(pcm, phrase.startMs, phrase.endMs);
  const limit = level * 10 ** (-PAUSE_BELOW_DB / 10);
  const before = all[index - 1];
  const after = all[index + 1];
  const isNear = (fromMs: number, toMs: number) => toMs - fromMs < PAUSE_WITHIN_MS;
  return (
    ((before !== undefined && isNear(before.endMs, phrase.startMs)) ||
      hasPause(pcm, phrase.startMs - PAUSE_WITHIN_MS, phrase.startMs, limit)) &&
    ((after !== undefined && isNear(phrase.endMs, after.startMs)) ||
      hasPause(pcm, phrase.endMs, phrase.endMs + PAUSE_WITHIN_MS, limit))
  );
}

/** Beyond the edges all is quiet. */
function hasPause(pcm: Int16Array, fromMs: number, toMs: number, limit: number): boolean {
  for (let ms = fromMs; ms + PAUSE_MS <= toMs; ms += 20) {
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
