import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { CodedError } from '@earshot/async';
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
  const transcripts = await readTranscripts(file === '-' ? process.stdin : createReadStream(file));
  const wanted = transcripts.filter(({ callId }) => call === undefined || callId === call);
  const [transcript] = wanted;
  if (transcript === undefined) {
    throw new CodedError(
      'no_transcript',
      `Cannot write a transcript: the events must tell of ${call ?? 'a call'}, got ${transcripts.length} other calls`,
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
async function readTranscripts(input: Readable): Promise<Transcript[]> {
  const assemblers = new Map<string, TranscriptAssembler>();
  let number = 0;
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (line.trim() !== '') take(line, assemblers);
    }
  } catch (cause) {
    throw new CodedError(
      'events_unreadable',
      `Cannot read events: each line must be one, as events tail prints them, line ${number} is not or the file cannot be read`,
      { cause },
    );
  }
  return Array.from(assemblers.values(), ({ transcript }) => transcript).filter(
    ({ utterances, lost }) => utterances.length + lost.length > 0,
  );
}

function take(line: string, assemblers: Map<string, TranscriptAssembler>): void {
  const event = parseEvent(JSON.parse(line));
  if (!isTranscriptEvent(event)) return;
  const assembler = assemblers.get(event.callId) ?? new TranscriptAssembler(event.callId);
  assemblers.set(event.callId, assembler);
  assembler.add(event);
}
