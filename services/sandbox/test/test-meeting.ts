import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { writeOggOpus } from '@earshot/opus';
import { testPackets } from './fixtures.js';

/** Long enough for every test meeting. */
const AUDIO_FRAMES = 500;

/** A meeting of two, of whom one comes later, loses frames, is muted for a while, and leaves. */
export async function writeTestMeeting(folder: string): Promise<void> {
  const audio = { 'ada.opus': 1, 'bob.opus': 2 };
  for (const [file, speaker] of Object.entries(audio)) {
    const packets = testPackets(AUDIO_FRAMES, speaker);
    await writeFile(path.join(folder, file), await writeOggOpus({ packets }));
  }
  const meeting = {
    name: 'test',
    durationMs: 4_000,
    participants: [
      { key: 'ada', displayName: 'Ada', kind: 'user', audio: 'ada.opus', joinAtMs: 0 },
      {
        key: 'bob',
        displayName: 'Bob',
        kind: 'guest',
        sourceId: '777',
        audio: 'bob.opus',
        joinAtMs: 1_000,
        leaveAtMs: 3_000,
        mutedAtMs: [{ startMs: 2_000, endMs: 2_400 }],
        missing: [
          { firstFrame: 10, frames: 5 },
          { firstFrame: 98, frames: 2 },
        ],
      },
    ],
  };
  await writeFile(path.join(folder, 'meeting.json'), JSON.stringify(meeting));
}
