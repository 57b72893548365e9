import type { Digit } from '@earshot/dtmf';

/** What was found in one file, or in one channel of it. Times are ms from its beginning. */
export interface FileAnalysis {
  readonly file: string;
  /** How many the file has. */
  readonly channels: number;
  /** The one that was heard, from 1; null: all of them, averaged. */
  readonly channel: number | null;
  readonly durationMs: number;
  /** False when the file ends, is damaged or holds something else before all its sound was found. */
  readonly isWhole: boolean;
  readonly tones: readonly FoundTone[];
  readonly speech: readonly FoundSpan[];
  readonly phrases: readonly FoundPhrase[];
}

export interface FoundSpan {
  readonly startMs: number;
  readonly endMs: number;
}

export interface FoundTone extends FoundSpan {
  /** `dtmf`, or a kind of other tones. */
  readonly kind: string;
  /** Null for other tones. */
  readonly digit: Digit | null;
  readonly levelDbfs: number;
}

export interface FoundPhrase extends FoundSpan {
  readonly phrase: string;
  readonly confidence: number | null;
}

/** One file as lines to be read: when, and what. */
export function analysisTable(analysis: FileAnalysis): string {
  const rows = [
    ...analysis.speech.map((span) => row(span, 'speech')),
    ...analysis.tones.map((tone) => row(tone, `tone    ${tone.digit ?? tone.kind}`)),
    ...analysis.phrases.map((phrase) => row(phrase, `phrase  ${phrase.phrase}`)),
  ];
  rows.sort((a, b) => a.startMs - b.startMs);
  return [headOf(analysis), ...rows.map(({ text }) => text)].join('\n');
}

function headOf({ file, channels, channel, durationMs, isWhole }: FileAnalysis): string {
  const which = channel === null ? `${channels} channels averaged` : `channel ${channel}`;
  return [
    `${file}  ${seconds(durationMs).trim()} s`,
    ...(channels > 1 ? [which] : []),
    ...(isWhole ? [] : ['not whole']),
  ].join(', ');
}

function row({ startMs, endMs }: FoundSpan, what: string): { startMs: number; text: string } {
  return { startMs, text: `${seconds(startMs)} –${seconds(endMs)} s  ${what}` };
}

function seconds(timeMs: number): string {
  return (timeMs / 1000).toFixed(2).padStart(9);
}
