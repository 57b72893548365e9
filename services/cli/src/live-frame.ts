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
  /** Length of the timeline, ms; the meeting's when known. */
  readonly timelineMs: number;
}

const NAME_COLUMNS = 15;
const METER_COLUMNS = 10;
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

function headLine({ title, model }: FrameInput, paint: Paint): string {
  if (model === undefined) return paint.bold(title);
  const states = model.states.map((state) =>
    state === 'established' ? paint.green(state) : paint.dim(state),
  );
  return [
    paint.bold(title),
    formatMediaTime(model.mediaTimeMs),
    states.join(paint.dim(' → ')),
  ].join('  ');
}

function participantLines(input: FrameInput, model: LiveModel, paint: Paint): string[] {
  const columns = timelineColumns(input.columns);
  const rows = [...model.participants.values()].filter((p) => p.kind !== 'application');
  return rows.map((participant) =>
    [
      nameCell(participant, paint),
      meterCell(participant, paint),
      timelineCell(
        participant,
        { columns, spanMs: input.timelineMs, nowMs: model.mediaTimeMs },
        paint,
      ),
    ].join(' '),
  );
}

function timelineColumns(columns: number): number {
  const left = columns - NAME_COLUMNS - METER_COLUMNS - 4;
  return Math.min(MOST_TIMELINE_COLUMNS, Math.max(LEAST_TIMELINE_COLUMNS, left));
}

function nameCell(participant: ParticipantView, paint: Paint): string {
  const mark = participant.isInLobby ? '…' : participant.isMuted ? 'm' : ' ';
  const text = fit(participant.name, NAME_COLUMNS - 2);
  const speaking = participant.talkspurts.at(-1);
  if (!participant.present) return paint.dim(`${text} ${mark}`);
  return speaking !== undefined && speaking.endMs === undefined
    ? paint.bold(`${text} ${mark}`)
    : `${text} ${mark}`;
}

function meterCell(participant: ParticipantView, paint: Paint): string {
  const share = 1 - Math.max(METER_FLOOR_DBFS, participant.levelDbfs) / METER_FLOOR_DBFS;
  const lit = Math.round(Math.min(1, Math.max(0, share)) * METER_COLUMNS);
  return paint.green('▮'.repeat(lit)) + paint.dim('▯'.repeat(METER_COLUMNS - lit));
}

interface TimelineShape {
  readonly columns: number;
  readonly spanMs: number;
  readonly nowMs: number;
}

/** Speech as blocks, digits as themselves, lost frames as crosses, silence as a line. */
function timelineCell(participant: ParticipantView, shape: TimelineShape, paint: Paint): string {
  const columnMs = shape.spanMs / shape.columns;
  const cells: string[] = [];
  for (let column = 0; column < shape.columns; column += 1) {
    const startMs = column * columnMs;
    cells.push(
      startMs > shape.nowMs ? ' ' : timelineMark(participant, startMs, startMs + columnMs, paint),
    );
  }
  return cells.join('');
}

function timelineMark(
  participant: ParticipantView,
  startMs: number,
  endMs: number,
  paint: Paint,
): string {
  const digit = participant.digits.find((d) => d.startMs >= startMs && d.startMs < endMs);
  if (digit !== undefined) return paint.bold(paint.yellow(digit.digit));
  if (participant.gaps.some((gap) => gap.startMs >= startMs && gap.startMs < endMs))
    return paint.red('×');
  const spoke = participant.talkspurts.some(
    (t) => t.startMs < endMs && (t.endMs ?? Number.POSITIVE_INFINITY) > startMs,
  );
  return spoke ? paint.cyan('█') : paint.dim('─');
}

function countsLine(model: LiveModel, paint: Paint): string {
  const digits = [...model.participants.values()].flatMap((p) => p.digits).length;
  return [
    `${model.speechSegments} talkspurts`,
    `${digits} tones`,
    model.gapCount === 0
      ? '0 gaps'
      : paint.red(`${model.gapCount} gaps (${model.missingFrames} frames lost)`),
    `${model.eventsConsumed} events consumed`,
    ...(model.endReason === undefined ? [] : [paint.bold(`ended: ${model.endReason}`)]),
  ].join(paint.dim(' · '));
}

function fit(text: string, columns: number): string {
  let fitted = text;
  while (stringWidth(fitted) > columns) fitted = `${[...fitted].slice(0, -2).join('')}…`;
  return fitted + ' '.repeat(columns - stringWidth(fitted));
}
