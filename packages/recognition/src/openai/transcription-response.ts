import { z } from 'zod';
import type { RecognizedWord } from '../recognizer.js';

/** Servers written in Python say null for what they leave out. */
const word = z.object({
  word: z.string(),
  start: z.number().nullish(),
  end: z.number().nullish(),
  probability: z.number().nullish(),
});

const segment = z.object({
  avg_logprob: z.number().nullish(),
  no_speech_prob: z.number().nullish(),
  words: z.array(word).nullish(),
});

/**
 * `verbose_json` as OpenAI gives it (`words` at the top, `avg_logprob` in segments), as whisper.cpp's
 * server does (`words` with `probability` in segments, each of them a token of the model), as vLLM does
 * (`words` null); and `json`, of which only `text` is there.
 */
const response = z.object({
  text: z.string(),
  words: z.array(word).nullish(),
  segments: z.array(segment).nullish(),
});

type Word = z.infer<typeof word>;
type Segment = z.infer<typeof segment>;

/** Times are from the first sample of the sound, ms. */
export interface Transcription {
  readonly text: string;
  readonly words: readonly RecognizedWord[];
  readonly confidence: number | null;
}

export const NO_TRANSCRIPTION: Transcription = { text: '', words: [], confidence: null };

/** A segment with at least such a chance of holding no speech says nothing, as Whisper itself decides. */
const NO_SPEECH = 0.6;
const NO_SPEECH_LOGPROB = -1;

/** Reads the answer to a transcription; undefined for anything else. */
export function readTranscription(body: string): Transcription | undefined {
  const parsed = response.safeParse(parseJson(body));
  if (!parsed.success) return undefined;
  const { text } = parsed.data;
  const segments = parsed.data.segments ?? [];
  if (segments.length > 0 && segments.every(isSilence)) return NO_TRANSCRIPTION;
  const all = parsed.data.words ?? segments.flatMap((each) => each.words ?? []);
  const words = wholeWords(all).flatMap(toWord);
  return {
    text: text.replace(/\s+/g, ' ').trim(),
    words,
    confidence: confidenceOf(words, segments),
  };
}

function isSilence({ no_speech_prob: noSpeech, avg_logprob: logprob }: Segment): boolean {
  return (noSpeech ?? 0) > NO_SPEECH && (logprob ?? 0) < NO_SPEECH_LOGPROB;
}

/** Where words begin with a space, what begins with none is a piece of the word before. */
function wholeWords(pieces: readonly Word[]): Word[] {
  if (!pieces.some(({ word: text }) => text.startsWith(' '))) return [...pieces];
  const whole: Word[] = [];
  for (const piece of pieces) {
    const before = whole.at(-1);
    if (before === undefined || piece.word.startsWith(' ')) whole.push(piece);
    else whole[whole.length - 1] = joined(before, piece);
  }
  return whole;
}

/** Half a word that is unlikely makes it unlikely. */
function joined(word: Word, piece: Word): Word {
  const probabilities = [word.probability, piece.probability].filter((each) => each != null);
  return {
    word: word.word + piece.word,
    start: word.start,
    end: piece.end ?? word.end,
    probability: probabilities.length === 0 ? null : Math.min(...probabilities),
  };
}

function toWord({ word: text, start, end, probability }: Word): RecognizedWord[] {
  if (start == null || end == null || start < 0 || text.trim() === '') return [];
  return [
    {
      text: text.trim(),
      startMs: start * 1000,
      endMs: Math.max(start, end) * 1000,
      confidence: probability == null ? null : clamp(probability),
    },
  ];
}

function confidenceOf(
  words: readonly RecognizedWord[],
  segments: readonly Segment[],
): number | null {
  const ofWords = words.flatMap(({ confidence }) => (confidence === null ? [] : [confidence]));
  if (ofWords.length > 0) return mean(ofWords);
  const ofSegments = segments.flatMap(({ avg_logprob: logprob }) =>
    logprob == null ? [] : [clamp(Math.exp(logprob))],
  );
  return ofSegments.length > 0 ? mean(ofSegments) : null;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
