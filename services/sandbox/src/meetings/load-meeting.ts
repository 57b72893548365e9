import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CodedError } from '@earshot/async';
import { opusPacketDurationMs, readOggOpus } from '@earshot/opus';
import type { Meeting, PacketSource } from './meeting.js';
import { createMeeting, FRAME_MS } from './meeting.js';
import type { MeetingDefinition } from './meeting-definition.js';
import { meetingDefinitionSchema } from './meeting-definition.js';

/**
 * Reads `meeting.json` and the audio beside it.
 *
 * @throws CodedError `meeting_unreadable`, `invalid_meeting`, `audio_file_unreadable`,
 * `not_ogg_opus`, `unsupported_audio_file`
 */
export async function loadMeeting(folder: string, tenantId: string): Promise<Meeting> {
  const file = path.join(folder, 'meeting.json');
  return createMeeting(await readDefinition(file), tenantId, audioOfFolder(folder));
}

/**
 * Checks a definition.
 *
 * @throws CodedError `invalid_meeting`, naming the first fault.
 */
export function parseDefinition(value: unknown): MeetingDefinition {
  const parsed = meetingDefinitionSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new CodedError(
    'invalid_meeting',
    `Cannot prepare the meeting: ${issue?.path.join('.') || 'it'}: ${issue?.message}`,
    { fix: 'The form of a meeting is described in services/sandbox/README.md.' },
  );
}

/** Audio from inline base64, or from files of `folder`. Each file is read once. */
export function audioOfFolder(folder: string): PacketSource {
  const files = new Map<string, Promise<readonly Uint8Array[]>>();
  return async ({ audio, audioBase64 }) => {
    if (audioBase64 !== undefined) return readPackets(Buffer.from(audioBase64, 'base64'), 'inline');
    if (audio === undefined || audio === null) return [];
    let packets = files.get(audio);
    if (packets === undefined) {
      packets = readAudioFile(path.join(folder, audio)).then((bytes) => readPackets(bytes, audio));
      files.set(audio, packets);
    }
    return packets;
  };
}

/** @throws CodedError `audio_file_unreadable` */
export async function readAudioFile(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    const actual = error instanceof Error && 'code' in error ? String(error.code) : 'a failure';
    throw new CodedError(
      'audio_file_unreadable',
      `Cannot read the audio file ${file}: it must exist and be readable, got ${actual}`,
      { cause: error },
    );
  }
}

async function readDefinition(file: string): Promise<MeetingDefinition> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const actual = error instanceof Error ? error.message : String(error);
    throw new CodedError(
      'meeting_unreadable',
      `Cannot read the meeting ${file}: it must be a readable JSON file, got ${actual}`,
      { cause: error },
    );
  }
  return parseDefinition(value);
}

/** The packets go out as they are: the media link carries mono frames of 20 ms. */
async function readPackets(bytes: Uint8Array, name: string): Promise<readonly Uint8Array[]> {
  const { packets, channels } = await readOggOpus(bytes);
  const odd = packets.find((packet) => opusPacketDurationMs(packet) !== FRAME_MS);
  if (channels === 1 && odd === undefined) return packets;
  const actual = channels === 1 ? `${opusPacketDurationMs(odd!)} ms` : `${channels} channels`;
  throw new CodedError(
    'unsupported_audio_file',
    `Cannot play ${name}: a meeting's audio must be mono in packets of ${FRAME_MS} ms, got ${actual}`,
  );
}
