import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { CodedError } from '@earshot/async';
import type { EarshotEvent } from '@earshot/events';
import { parseEvent } from '@earshot/events';
import type { Transcript } from '@earshot/transcript';
import { isTranscriptEvent, TranscriptAssembler } from '@earshot/transcript';
import type { TranscriptFormat } from '@earshot/transcript-export';
import { exportTranscript } from '@earshot/transcript-export';
import { signalingClient } from '../connection.js';

export interface TranscriptOptions {
  readonly format: TranscriptFormat;
}

export interface FromEventsOptions extends TranscriptOptions {
  /** Needed when the events are of several calls. */
  readonly call?: string;
}

/** `earshot transcripts show <id>`: what is kept of what was said. */
export async function transcriptsShow(
  callId: string,
  { format }: TranscriptOptions,
): Promise<void> {
  process.stdout.write(await signalingClient().transcript(callId, format));
}

/** `earshot transcripts delete <id>`: forgets what is kept. */
export async function transcriptsDelete(callId: string): Promise<void> {
  await signalingClient().deleteTranscript(callId);
}

/** `earshot transcripts from-events <file>`: puts lines of `events tail` together; keeps nothing. */
export async function transcriptsFromEvents(
  file: string,
  { format, call }: FromEventsOptions,
): Promise<void> {
  const transcripts = await readTranscripts(file);
  const wanted = transcripts.filter(({ callId }) => call === undefined || callId === call);
  const [transcript] = wanted;
  if (transcript === undefined) {
    throw new CodedError(
      'no_transcript',
      `Cannot write a transcript: something must have been said or lost in ${call ?? 'a call'}, got ${transcripts.length} other calls of which events tell so`,
    );
  }
  if (wanted.length > 1) {
    throw new CodedError(
      'several_calls',
      `Cannot write a transcript: the events must be of one call, got ${wanted.length}`,
      { fix: `Name one with --call: ${wanted.map(({ callId }) => callId).join(' ')}` },
    );
  }
  process.stdout.write(exportTranscript(transcript, format));
}

/** The transcripts of all calls of which something was said. */
async function readTranscripts(file: string): Promise<Transcript[]> {
  const assemblers = new Map<string, TranscriptAssembler>();
  let number = 0;
  const input = file === '-' ? process.stdin : createReadStream(file);
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (line.trim() !== '') take(line, number, assemblers);
    }
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CodedError(
      'events_unreadable',
      `Cannot read events: ${file} must be a readable file, got ${reason}`,
      { cause },
    );
  }
  return Array.from(assemblers.values(), ({ transcript }) => transcript).filter(
    ({ utterances, lost }) => utterances.length + lost.length > 0,
  );
}

function take(line: string, number: number, assemblers: Map<string, TranscriptAssembler>): void {
  const event = parsed(line, number);
  if (!isTranscriptEvent(event)) return;
  const assembler = assemblers.get(event.callId) ?? new TranscriptAssembler(event.callId);
  assemblers.set(event.callId, assembler);
  assembler.add(event);
}

/** The line itself may hold what people said: it stands in no error. */
function parsed(line: string, number: number): EarshotEvent {
  try {
    return parseEvent(JSON.parse(line));
  } catch (cause) {
    const got = cause instanceof SyntaxError ? 'none of JSON' : 'JSON of something else';
    throw new CodedError(
      'invalid_events',
      `Cannot read events: each line must be an event, as events tail prints them, got ${got} in line ${number}`,
      { cause, fix: 'Leave other lines out, such as the sum at the end of start --once --json.' },
    );
  }
}
