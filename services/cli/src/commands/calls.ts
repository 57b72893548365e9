import { readFile } from 'node:fs/promises';
import { CodedError } from '@earshot/async';
import type { ListeningChange } from '@earshot/listening';
import { fileKind } from '@earshot/opus';
import { signalingClient } from '../connection.js';
import { PostedAudio } from '../signaling-client.js';

/** `earshot calls list`: id and state, one call a line. */
export async function callsList(): Promise<void> {
  for (const call of await signalingClient().list()) console.log(`${call.id} ${call.state}`);
}

/** `earshot calls show <id>`: the call as signaling shows it, as JSON. */
export async function callsShow(callId: string): Promise<void> {
  console.log(JSON.stringify(await signalingClient().read(callId), null, 2));
}

/** `earshot calls hang-up <id>`: leaves the meeting. */
export async function callsHangUp(callId: string): Promise<void> {
  await signalingClient().hangUp(callId);
}

export interface ListeningOptions {
  readonly set?: ListeningChange;
}

/** `earshot calls listening <id>`: what is listened for, as JSON; changes it first with `--set`. */
export async function callsListening(callId: string, { set }: ListeningOptions): Promise<void> {
  const client = signalingClient();
  const settings =
    set === undefined ? await client.listening(callId) : await client.setListening(callId, set);
  console.log(JSON.stringify(settings, null, 2));
}

/** `earshot calls play <id> <file>`: a WAV or Ogg Opus file is heard in the meeting. */
export async function callsPlay(callId: string, file: string): Promise<void> {
  const bytes = new Uint8Array(await read(file));
  const audio = new PostedAudio(
    bytes,
    fileKind(bytes) === 'a WAV file' ? 'audio/wav' : 'audio/ogg',
  );
  console.log(JSON.stringify(await signalingClient().play(callId, audio), null, 2));
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CodedError(
      'audio_file_unreadable',
      `Cannot play ${file}: it must be a readable file, got ${reason}`,
      { cause },
    );
  }
}
