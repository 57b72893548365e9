import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CodedError } from '@earshot/async';
import { PTIME_MS } from '@earshot/audio';
import { readOggOpus } from '@earshot/opus';
import type { Meeting, PacketSource } from './meeting.js';
import { createMeeting } from './meeting.js';
import type { MeetingDefinition } from './meeting-definition.js';
import { parseDefinition } from './meeting-definition.js';

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

/** Audio from inline base64, or from files of `folder`. Each file is read once. */
export function audioOfFolder(folder: string): PacketSource {
  const files = new Map<string, Promise<readonly Uint8Array[]>>();
  return async ({ key, audio, audioBase64 }) => {
    if (audioBase64 !== undefined) return readPackets(Buffer.from(audioBase64, 'base64'), key);
    if (audio === undefined || audio === null) return [];
    let packets = files.get(audio);
    if (packets === undefined) {
      packets = readPackets(path.join(folder, audio), audio);
      files.set(audio, packets);
    }
    return packets;
  };
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
async function readPackets(
  source: Uint8Array | string,
  name: string,
): Promise<readonly Uint8Array[]> {
  const { packets, channels, packetDurationMs } = await readOggOpus(source);
  const odd = packetDurationMs.find((durationMs) => durationMs !== PTIME_MS);
  if (channels === 1 && odd === undefined) return packets;
  const actual = channels === 1 ? `${odd} ms` : `${channels} channels`;
  throw new CodedError(
    'unsupported_audio_file',
    `Cannot play ${name}: a meeting's audio must be mono in packets of ${PTIME_MS} ms, got ${actual}`,
  );
}
