import stringWidth from 'string-width';
import type { LiveModel, ParticipantView } from './live-model.js';

/** How to emphasise text; the identity for a plain terminal. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

export interface FrameInput {
  readonly title: string;
  readonly model: LiveModel | undefined;
  /** Lines below the picture: how to attach, how to end. */
  readonly notes: readonly string[];
  readonly columns: number;
  /** Where the media are now, ms on the media clock. */
  readonly nowMs: number;
  /** Length of the timeline, ms; the meeting's when known. */
  readonly timelineMs: number;
}

const NAME_COLUMNS = 15;
const METER_COLUMNS = 10;
/** A space and the level in dBFS. */
const LEVEL_COLUMNS = 4;
const METER_FLOOR_DBFS = -60;
const LEAST_TIMELINE_COLUMNS = 20;
const MOST_TIMELINE_COLUMNS = 72;

/** One picture of a call for a terminal: states, roster, meters, timeline, counts. Pure. */
export function renderFrame(input: FrameInput, paint: Paint): string {
  const { model } = input;
  const lines = [headLine(input, paint), ''];
  if (model !== undefined) {
    lines.push(...participantLines(input, model, paint), '', countsLine(model, paint));
  }
  lines.push('', ...input.notes.map((note) => paint.dim(note)));
  return lines.join('\n');
}

/** `m:ss.t` on the media clock. */
export function formatMediaTime(timeMs: number): string {
  const tenths = Math.floor(timeMs / 100);
  const seconds = Math.floor(tenths / 10);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}.${tenths % 10}`;
}

function headLine({ title, model, nowMs }: FrameInput, paint: Paint): string {
  if (model === undefined) return paint.bold(title);
  const states = model.states.map((state) =>
    state === 'established' ? paint.green(state) : paint.dim(state),
  );
  return [paint.bold(title), formatMediaTime(nowMs), states.join(paint.dim(' → '))].join('  ');
}

function participantLines(input: FrameInput, model: LiveModel, paint: Paint): string[] {
  const columns = timelineColumns(input.columns);
  const rows = [...model.participants.values()].filter((p) => p.kind !== 'application');
  return rows.flatMap((participant) => [
    [
      nameCell(participant, paint),
      meterCell(participant, paint),
      timelineCell(participant, { columns, spanMs: input.timelineMs, nowMs: input.nowMs }, paint),
    ].join(' '),
    ...phraseLines(participant, columns, paint),
  ]);
}

/** What was said of what is listened for, below the timeline: the newest that fit. */
function phraseLines({ phrases }: ParticipantView, columns: number, paint: Paint): string[] {
  const shown: string[] = [];
  let left = columns;
  for (const { phrase, startMs } of phrases.toReversed()) {
    const text = `${formatMediaTime(startMs)} “${phrase}”`;
    left -= stringWidth(text) + 2;
    if (left < -2) break;
    shown.unshift(text);
  }
  if (shown.length === 0) return [];
  const indent = ' '.repeat(NAME_COLUMNS + METER_COLUMNS + LEVEL_COLUMNS + 2);
  return [indent + paint.yellow(shown.join('  '))];
}

function timelineColumns(columns: number): number {
  const left = columns - NAME_COLUMNS - METER_COLUMNS - LEVEL_COLUMNS - 4;
  return Math.min(MOST_TIMELINE_COLUMNS, Math.max(LEAST_TIMELINE_COLUMNS, left));
}

/** The name, and in one column: speaking, muted, in the lobby. */
function nameCell(participant: ParticipantView, paint: Paint): string {
  const text = fit(participant.name, NAME_COLUMNS - 2);
  if (!participant.present) return paint.dim(`${text}  `);
  if (participant.isInLobby) return `${text} …`;
  if (participant.isMuted) return `${text} m`;
  const last = participant.talkspurts.at(-1);
  const isSpeaking = last !== undefined && last.endMs === undefined;
  return isSpeaking ? paint.bold(`${text} ${paint.green('●')}`) : `${text}  `;
}

function meterCell(participant: ParticipantView, paint: Paint): string {
  const share = 1 - Math.max(METER_FLOOR_DBFS, participant.levelDbfs) / METER_FLOOR_DBFS;
  const lit = Math.round(Math.min(1, Math.max(0, share)) * METER_COLUMNS);
  const level = Math.round(Math.max(METER_FLOOR_DBFS, participant.levelDbfs));
  const number = level === METER_FLOOR_DBFS ? '   ' : String(level).padStart(3);
  return `${paint.green('█'.repeat(lit))}${paint.dim('░'.repeat(METER_COLUMNS - lit))} ${number}`;
}

interface TimelineShape {
  readonly columns: number;
  readonly spanMs: number;
  readonly nowMs: number;
}

/** Speech as blocks, digits as themselves, lost frames as crosses, silence as a line. */
function timelineCell(participant: ParticipantView, shape: TimelineShape, paint: Paint): string {
  const columnMs = shape.spanMs / shape.columns;
  const digits = digitColumns(participant, shape);
  const cells: string[] = [];
  for (let column = 0; column < shape.columns; column += 1) {
    const startMs = column * columnMs;
    const digit = digits.get(column);
    if (digit !== undefined) cells.push(paint.bold(paint.yellow(digit)));
    else if (startMs > shape.nowMs) cells.push(' ');
    else cells.push(timelineMark(participant, startMs, startMs + columnMs, paint));
  }
  return cells.join('');
}

/** Where each digit stands: its own column, or the next one when keyed faster than drawn. */
function digitColumns(participant: ParticipantView, shape: TimelineShape): Map<number, string> {
  const columns = new Map<number, string>();
  let next = 0;
  for (const { digit, startMs } of participant.digits) {
    const column = Math.max(next, Math.floor((startMs * shape.columns) / shape.spanMs));
    columns.set(column, digit);
    next = column + 1;
  }
  return columns;
}

function timelineMark(
  participant: ParticipantView,
  startMs: number,
  endMs: number,
  paint: Paint,
): string {
  if (participant.gaps.some((gap) => gap.startMs >= startMs && gap.startMs < endMs)) {
    return paint.red('×');
  }
  const spoke = participant.talkspurts.some(
    (t) => t.startMs < endMs && (t.endMs ?? Number.POSITIVE_INFINITY) > startMs,
  );
  return spoke ? paint.cyan('█') : paint.dim('─');
}

function countsLine(model: LiveModel, paint: Paint): string {
  const digits = [...model.participants.values()].flatMap((p) => p.digits).length;
  const phrases = [...model.participants.values()].flatMap((p) => p.phrases).length;
  return [
    count(model.speechSegments, 'talkspurt'),
    count(digits, 'tone'),
    ...(phrases === 0 ? [] : [count(phrases, 'phrase')]),
    model.gapCount === 0
      ? 'no gap'
      : paint.red(`${count(model.gapCount, 'gap')} (${count(model.missingFrames, 'frame')} lost)`),
    `${count(model.eventsConsumed, 'event')} consumed`,
    ...(model.endReason === undefined ? [] : [paint.bold(`ended: ${model.endReason}`)]),
  ].join(paint.dim(' · '));
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

function fit(text: string, columns: number): string {
  let fitted = text;
  while (stringWidth(fitted) > columns) fitted = `${[...fitted].slice(0, -2).join('')}…`;
  return fitted + ' '.repeat(columns - stringWidth(fitted));
}
