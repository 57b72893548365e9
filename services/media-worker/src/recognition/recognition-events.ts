import type { EventData, TranscriptData } from '@earshot/events';
import type { StreamIdentity, UtteranceStart } from '@earshot/media-session';
import type { RecognizedWord, RecognizerResult } from '@earshot/recognition';
import type { SkipReason, TaskKind, UtteranceGap } from './recognition-messages.js';

type RecognitionEventType =
  | 'phrase.recognized'
  | 'transcript.partial'
  | 'transcript.final'
  | 'transcript.skipped';

interface Draft<Type extends RecognitionEventType> {
  /** Deterministic: the same utterance gives the same id, whoever hears it. */
  readonly id: string;
  readonly type: Type;
  readonly mediaTimeMs: number;
  readonly sourceId: string | null;
  readonly data: EventData[Type];
}

/** An event of recognized speech but for what only its publisher knows. */
export type RecognitionEventDraft =
  | Draft<'phrase.recognized'>
  | Draft<'transcript.partial'>
  | Draft<'transcript.final'>
  | Draft<'transcript.skipped'>;

/** Shorter losses change nothing that could be said. */
const MIN_MARKED_MS = 100;

/** What was understood of an utterance. */
export interface Understood {
  readonly utterance: UtteranceStart;
  readonly endMs: number;
  readonly results: readonly RecognizerResult[];
  readonly gaps: readonly UtteranceGap[];
  readonly engine: string;
  /** BCP 47; asked for. */
  readonly language: string;
}

export function phraseEvent(
  stream: StreamIdentity,
  phrase: RecognizerResult,
): RecognitionEventDraft {
  const { text, startMs, endMs, confidence, engine, language } = phrase;
  return {
    id: `${stream.callId}.${stream.mediaId}.phrase.${sourceOf(stream)}.${Math.round(startMs)}`,
    type: 'phrase.recognized',
    mediaTimeMs: roundTenth(endMs),
    sourceId: stream.sourceId,
    data: {
      phrase: text,
      startMs: roundTenth(startMs),
      endMs: roundTenth(endMs),
      confidence: confidence ?? 1,
      engine,
      language,
    },
  };
}

export function partialEvent(
  stream: StreamIdentity,
  understood: Understood,
  revision: number,
): RecognitionEventDraft {
  const data = transcriptOf(stream, understood);
  return {
    id: `${data.utteranceId}.partial.${revision}`,
    type: 'transcript.partial',
    mediaTimeMs: data.endMs,
    sourceId: stream.sourceId,
    data: { ...data, revision },
  };
}

export function finalEvent(stream: StreamIdentity, understood: Understood): RecognitionEventDraft {
  const data = transcriptOf(stream, understood);
  return {
    id: `${data.utteranceId}.final`,
    type: 'transcript.final',
    mediaTimeMs: data.endMs,
    sourceId: stream.sourceId,
    data,
  };
}

export function skippedEvent(
  stream: StreamIdentity,
  task: TaskKind,
  utterance: UtteranceStart,
  { endMs, reason, engine }: { endMs: number; reason: SkipReason; engine: string | null },
): RecognitionEventDraft {
  const utteranceId = utteranceIdOf(stream, task, utterance);
  return {
    id: `${utteranceId}.skipped`,
    type: 'transcript.skipped',
    mediaTimeMs: roundTenth(endMs),
    sourceId: stream.sourceId,
    data: {
      utteranceId,
      startMs: roundTenth(utterance.startMs),
      endMs: roundTenth(endMs),
      reason,
      engine,
    },
  };
}

function transcriptOf(stream: StreamIdentity, understood: Understood): TranscriptData {
  const { utterance, endMs, results, engine, language } = understood;
  const words = results.flatMap((result) => result.words);
  const gaps = joined(understood.gaps);
  const text = results
    .map((result) => result.text)
    .filter((each) => each !== '')
    .join(' ');
  return {
    utteranceId: utteranceIdOf(stream, 'dictation', utterance),
    text: withGapMarks(text, words, gaps),
    startMs: roundTenth(utterance.piece === 1 ? utterance.startMs : utterance.soundFromMs),
    endMs: roundTenth(endMs),
    words,
    gaps,
    confidence: confidenceOf(results),
    engine,
    language: results[0]?.language ?? language,
  };
}

/** Puts `[lost 1.2 s]` where sound is missing; at the end where nobody knows when words were said. */
export function withGapMarks(
  text: string,
  words: readonly RecognizedWord[],
  gaps: readonly UtteranceGap[],
): string {
  const marked = gaps.filter(({ durationMs }) => durationMs >= MIN_MARKED_MS);
  if (marked.length === 0) return text;
  const tokens = text.split(/\s+/).filter((token) => token !== '');
  const isTimed = words.length === tokens.length;
  const parts: string[] = [];
  let next = 0;
  tokens.forEach((token, n) => {
    const startMs = isTimed ? words[n]!.startMs : Number.NEGATIVE_INFINITY;
    for (; next < marked.length && marked[next]!.startMs <= startMs; next += 1) {
      parts.push(gapMark(marked[next]!));
    }
    parts.push(token);
  });
  return [...parts, ...marked.slice(next).map(gapMark)].join(' ');
}

function gapMark({ durationMs }: UtteranceGap): string {
  return `[lost ${(durationMs / 1000).toFixed(1)} s]`;
}

/** What was lost in a row is one loss. */
function joined(gaps: readonly UtteranceGap[]): UtteranceGap[] {
  const all: { startMs: number; durationMs: number }[] = [];
  for (const { startMs, durationMs } of gaps) {
    const last = all.at(-1);
    const isNext = last !== undefined && startMs - (last.startMs + last.durationMs) < 1;
    if (isNext) last.durationMs = startMs + durationMs - last.startMs;
    else all.push({ startMs, durationMs });
  }
  return all.map(({ startMs, durationMs }) => ({
    startMs: roundTenth(startMs),
    durationMs: roundTenth(durationMs),
  }));
}

function confidenceOf(results: readonly RecognizerResult[]): number | null {
  const known = results.flatMap(({ confidence }) => (confidence === null ? [] : [confidence]));
  if (known.length === 0) return null;
  return known.reduce((sum, each) => sum + each, 0) / known.length;
}

function utteranceIdOf(
  stream: StreamIdentity,
  task: TaskKind,
  { startMs, piece }: UtteranceStart,
): string {
  const what = task === 'dictation' ? 'utterance' : 'phrases';
  const id = `${stream.callId}.${stream.mediaId}.${what}.${sourceOf(stream)}.${Math.round(startMs)}`;
  return piece === 1 ? id : `${id}.${piece}`;
}

function sourceOf({ sourceId, kind, streamId }: StreamIdentity): string {
  return sourceId ?? `${kind}${streamId}`;
}

/** To a tenth: capture times are finer than anything heard in them. */
function roundTenth(value: number): number {
  return Math.round(value * 10) / 10;
}
