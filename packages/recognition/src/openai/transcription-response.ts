import { z } from 'zod';
import type { RecognizedWord } from '../recognizer.js';

const seconds = z.number().min(0);

const word = z.object({
  word: z.string(),
  start: seconds.optional(),
  end: seconds.optional(),
  probability: z.number().optional(),
});

const segment = z.object({
  start: seconds.optional(),
  end: seconds.optional(),
  text: z.string().optional(),
  avg_logprob: z.number().optional(),
  no_speech_prob: z.number().optional(),
  words: z.array(word).optional(),
});

/**
 * `verbose_json` as OpenAI gives it (`words` at the top, `avg_logprob` in segments) and as whisper.cpp's
 * server does (`words` with `probability` in segments); and `json`, of which only `text` is there.
 */
const response = z.object({
  text: z.string(),
  language: z.string().optional(),
  words: z.array(word).optional(),
  segments: z.array(segment).optional(),
});

/** Times are from the first sample of the sound, ms. */
export interface Transcription {
  readonly text: string;
  readonly words: readonly RecognizedWord[];
  readonly confidence: number | null;
  /** As the server names it, such as `english` or `en`; null when it says nothing. */
  readonly language: string | null;
}

/** A segment with at least such a chance of holding no speech says nothing, as Whisper itself decides. */
const NO_SPEECH = 0.6;
const NO_SPEECH_LOGPROB = -1;

/** Reads the answer to a transcription; undefined for anything else. */
export function readTranscription(body: string): Transcription | undefined {
  const parsed = response.safeParse(parseJson(body));
  if (!parsed.success) return undefined;
  const { text, language, segments = [] } = parsed.data;
  if (segments.length > 0 && segments.every(isSilence)) return nothing(language);
  const words = (parsed.data.words ?? segments.flatMap((each) => each.words ?? [])).flatMap(toWord);
  return {
    text: text.replace(/\s+/g, ' ').trim(),
    words,
    confidence: confidenceOf(words, segments),
    language: language ?? null,
  };
}

function nothing(language: string | undefined): Transcription {
  return { text: '', words: [], confidence: null, language: language ?? null };
}

function isSilence({ no_speech_prob = 0, avg_logprob = 0 }: z.infer<typeof segment>): boolean {
  return no_speech_prob > NO_SPEECH && avg_logprob < NO_SPEECH_LOGPROB;
}

function toWord({ word: text, start, end, probability }: z.infer<typeof word>): RecognizedWord[] {
  if (start === undefined || end === undefined || text.trim() === '') return [];
  return [
    {
      text: text.trim(),
      startMs: start * 1000,
      endMs: Math.max(start, end) * 1000,
      confidence: probability === undefined ? null : clamp(probability),
    },
  ];
}

function confidenceOf(
  words: readonly RecognizedWord[],
  segments: readonly z.infer<typeof segment>[],
): number | null {
  const ofWords = words.flatMap(({ confidence }) => (confidence === null ? [] : [confidence]));
  if (ofWords.length > 0) return mean(ofWords);
  const ofSegments = segments.flatMap(({ avg_logprob: logprob }) =>
    logprob === undefined ? [] : [clamp(Math.exp(logprob))],
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
