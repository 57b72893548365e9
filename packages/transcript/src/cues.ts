import { GAP_MARK, gapMark } from './gap-marks.js';
import type { Speaker, Transcript, Utterance } from './transcript.js';
import { placesOfWords } from './word-places.js';

/** Text that is shown at once. */
export interface Cue {
  /** Whole ms; the end is later than the start. */
  readonly startMs: number;
  readonly endMs: number;
  readonly speaker: string | null;
  readonly lines: readonly string[];
}

/** What people can read: two lines, not for long. */
const MAX_LINES = 2;
const MAX_LINE_CHARACTERS = 42;
const MAX_CUE_MS = 7000;
/** How long it is shown that something was not recorded. */
const NOTE_MS = 2000;

interface Token {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** A place in a text, and when it was spoken. */
interface Anchor {
  readonly offset: number;
  readonly atMs: number;
}

/** A transcript in cues of at most two lines of 42 characters and 7 s, split between words. */
export function cuesOf(transcript: Transcript): readonly Cue[] {
  const spoken = transcript.utterances.flatMap(cuesOfUtterance);
  const lost = transcript.lost.map(({ startMs, durationMs, participant }) =>
    cue(startMs, startMs + durationMs, speakerOf(participant), [gapMark(durationMs)]),
  );
  const missing = transcript.notRecorded.map(({ beforeMs, utterances }) =>
    cue(beforeMs - NOTE_MS, beforeMs, null, [
      `[not recorded: ${utterances} utterance${utterances === 1 ? '' : 's'}]`,
    ]),
  );
  return [...spoken, ...lost, ...missing].sort(
    (a, b) => a.startMs - b.startMs || a.endMs - b.endMs,
  );
}

function cuesOfUtterance(utterance: Utterance): Cue[] {
  const speaker = speakerOf(utterance.participant);
  const { skipped, startMs, endMs } = utterance;
  const tokens = tokensOf(utterance);
  if (skipped !== null) tokens.push({ text: '[not transcribed]', startMs: endMs, endMs });
  if (tokens.length === 1) return [cue(startMs, endMs, speaker, [tokens[0]?.text ?? ''])];
  const cues: Cue[] = [];
  let layout = new Layout();
  for (const token of tokens) {
    if (layout.add(token)) continue;
    cues.push(layout.cue(speaker));
    layout = new Layout();
    layout.add(token);
  }
  if (!layout.isEmpty) cues.push(layout.cue(speaker));
  return cues;
}

/** Fills the lines of one cue. */
class Layout {
  readonly #lines: string[] = [];
  #startMs = 0;
  #endMs = 0;

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  /** False when there is no room; an empty one has room for anything. */
  add({ text, startMs, endMs }: Token): boolean {
    if (this.isEmpty) {
      this.#startMs = startMs;
      this.#lines.push(text);
    } else {
      if (endMs - this.#startMs > MAX_CUE_MS) return false;
      const last = `${this.#lines.at(-1)} ${text}`;
      if (last.length <= MAX_LINE_CHARACTERS) this.#lines[this.#lines.length - 1] = last;
      else if (this.#lines.length < MAX_LINES) this.#lines.push(text);
      else return false;
    }
    this.#endMs = Math.max(this.#endMs, endMs);
    return true;
  }

  cue(speaker: string | null): Cue {
    return cue(this.#startMs, this.#endMs, speaker, this.#lines);
  }
}

/** What stands between spaces, and marks of lost sound as one; what is longer than a line in pieces. */
function tokensOf(utterance: Utterance): Token[] {
  const { text } = utterance;
  const atMs = clockOf(utterance);
  const parts = text.matchAll(/\[lost \d+\.\d s\]|\S+/g);
  return [...parts].flatMap(({ 0: part, index }) =>
    piecesOf(part).map(({ piece, offset }) => ({
      text: piece,
      startMs: atMs(index + offset),
      endMs: atMs(index + offset + piece.length),
    })),
  );
}

function piecesOf(part: string): { piece: string; offset: number }[] {
  const pieces: { piece: string; offset: number }[] = [];
  let piece = '';
  let offset = 0;
  for (const character of part) {
    if (piece.length + character.length > MAX_LINE_CHARACTERS) {
      pieces.push({ piece, offset });
      offset += piece.length;
      piece = '';
    }
    piece += character;
  }
  return [...pieces, { piece, offset }];
}

/** Says when the character at an offset of the text was spoken: by word times, or in proportion. */
function clockOf({ text, words, startMs, endMs }: Utterance): (offset: number) => number {
  // What a mark says is no word.
  const spoken = text.replace(GAP_MARK, (mark) => '\0'.repeat(mark.length));
  const places = placesOfWords(spoken, words) ?? [];
  const anchors: Anchor[] = [
    { offset: 0, atMs: startMs },
    ...places.flatMap(({ start, end }, n) => [
      { offset: start, atMs: words[n]?.startMs ?? startMs },
      { offset: end, atMs: words[n]?.endMs ?? endMs },
    ]),
    { offset: text.length, atMs: endMs },
  ];
  return (offset) => {
    const after = anchors.findIndex((anchor) => anchor.offset >= offset);
    const next = anchors[after] ?? { offset: text.length, atMs: endMs };
    const before = anchors[after - 1] ?? next;
    const span = next.offset - before.offset;
    const share = span === 0 ? 1 : (offset - before.offset) / span;
    return before.atMs + (next.atMs - before.atMs) * share;
  };
}

function cue(
  startMs: number,
  endMs: number,
  speaker: string | null,
  lines: readonly string[],
): Cue {
  const start = Math.max(0, Math.floor(startMs));
  return { startMs: start, endMs: Math.max(start + 1, Math.ceil(endMs)), speaker, lines };
}

function speakerOf(participant: Speaker | null): string | null {
  return participant === null ? null : (participant.displayName ?? participant.id);
}
