import path from 'node:path';
import { PTIME_MS } from '@earshot/audio';
import { readOggOpus, toFramePackets } from '@earshot/opus';
import type { Meeting } from './meeting.js';
import { createMeeting } from './meeting.js';
import type { MeetingDefinition } from './meeting-definition.js';

/** The meeting goes on for this long after the last file has ended. */
const TAIL_MS = 400;

/**
 * A meeting named `custom` with one participant per audio file, named after it; all join at once.
 *
 * @throws CodedError `audio_file_unreadable`, `not_ogg_opus`, `unsupported_audio_file`
 */
export async function createCustomMeeting(
  files: readonly string[],
  tenantId: string,
): Promise<Meeting> {
  const audio = new Map<string, readonly Uint8Array[]>();
  for (const [index, file] of files.entries()) audio.set(keyOf(index), await packetsOf(file));
  const longest = Math.max(1, ...[...audio.values()].map((packets) => packets.length));
  return createMeeting(
    definitionOf(files, longest * PTIME_MS + TAIL_MS),
    tenantId,
    async (p) => audio.get(p.key) ?? [],
  );
}

function definitionOf(files: readonly string[], durationMs: number): MeetingDefinition {
  return {
    name: 'custom',
    durationMs,
    participants: files.map((file, index) => ({
      key: keyOf(index),
      displayName: path.parse(file).name || file,
      kind: 'user',
      joinAtMs: 0,
      digits: [],
      speech: [],
      missing: [],
    })),
  };
}

function keyOf(index: number): string {
  return `file-${index + 1}`;
}

/** What is named `.opus` must be that; anything else is taken for what its bytes say. */
async function packetsOf(file: string): Promise<readonly Uint8Array[]> {
  if (path.extname(file).toLowerCase() === '.opus') await readOggOpus(file);
  return toFramePackets(file);
}
