import type { EventData, TranscriptData } from '@earshot/events';
import type { StreamIdentity, UtteranceStart } from '@earshot/media-session';
import type { RecognizerResult } from '@earshot/recognition';
import { markGaps, mergeGaps } from '@earshot/transcript';
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
      task,
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
  const gaps = mergeGaps(understood.gaps).map(({ startMs, durationMs }) => ({
    startMs: roundTenth(startMs),
    durationMs: roundTenth(durationMs),
  }));
  const text = results
    .map((result) => result.text)
    .filter((each) => each !== '')
    .join(' ');
  const startMs = utterance.piece === 1 ? utterance.startMs : utterance.soundFromMs;
  return {
    utteranceId: utteranceIdOf(stream, 'dictation', utterance),
    text: markGaps({ text, words, gaps, startMs, endMs }),
    startMs: roundTenth(startMs),
    endMs: roundTenth(endMs),
    words,
    gaps,
    confidence: confidenceOf(results),
    engine,
    language: results[0]?.language ?? language,
  };
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
