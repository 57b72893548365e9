import type { Cue, Transcript } from '@earshot/transcript';
import { cuesOf } from '@earshot/transcript';
import { build } from 'subsrt-ts';

/** What a transcript can be written as. */
export const TRANSCRIPT_FORMATS = ['json', 'vtt', 'srt'] as const;

export type TranscriptFormat = (typeof TRANSCRIPT_FORMATS)[number];

/** For HTTP. */
export const MEDIA_TYPES: Readonly<Record<TranscriptFormat, string>> = {
  json: 'application/json; charset=utf-8',
  vtt: 'text/vtt; charset=utf-8',
  srt: 'application/x-subrip; charset=utf-8',
};

/**
 * A transcript as JSON, WebVTT (W3C) or SRT. In WebVTT a speaker is a voice span, in SRT a name before
 * the text.
 */
export function exportTranscript(transcript: Transcript, format: TranscriptFormat): string {
  if (format === 'json') return `${JSON.stringify(transcript, null, 2)}\n`;
  const textOf = format === 'vtt' ? vttText : srtText;
  const captions = cuesOf(transcript).map((cue, n) => {
    const text = textOf(cue);
    const { startMs: start, endMs: end } = cue;
    const duration = end - start;
    return { type: 'caption' as const, index: n + 1, start, end, duration, content: text, text };
  });
  return build(captions, { format, eol: '\n' });
}

function vttText({ speaker, lines }: Cue): string {
  const text = lines.map(vttEscaped).join('\n');
  return speaker === null ? text : `<v ${vttEscaped(speaker)}>${text}</v>`;
}

/** Character references, as WebVTT has them for text and for the names of voices. */
function vttEscaped(text: string): string {
  return oneLine(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function srtText({ speaker, lines }: Cue): string {
  const text = lines.map(srtPlain).join('\n');
  return speaker === null ? text : `${srtPlain(speaker)}: ${text}`;
}

/** SRT has no escapes: what players take for markup, or for an arrow between times, looks alike. */
function srtPlain(text: string): string {
  return oneLine(text)
    .replaceAll('<', '‹')
    .replaceAll('>', '›')
    .replaceAll('{', '(')
    .replaceAll('}', ')');
}

/** A line that is empty, or ends early, would end the cue. */
function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}\u2028\u2029]+/gu, ' ').trim() || '–';
}
