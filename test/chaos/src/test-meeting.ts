import { mkdtemp, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Digit } from '@earshot/dtmf';
import { generateTone } from '@earshot/dtmf';
import { createOpusEngine, encodeFrames, writeOggOpus } from '@earshot/opus';
import { readMeetingVoices } from '@earshot/test-kit';

const RATE_HZ = 16_000;

/** What one participant lets hear, on the meeting's clock. */
export interface Sound {
  readonly tones?: readonly {
    readonly digit: Digit;
    readonly startMs: number;
    readonly durationMs: number;
  }[];
  readonly speech?: readonly { readonly startMs: number; readonly endMs: number }[];
}

/** A meeting in which everybody is there from its beginning to its end. */
export interface TestMeeting {
  readonly durationMs: number;
  /** By name. */
  readonly participants: Readonly<Record<string, Sound>>;
}

/** Writes a meeting into a folder of its own, for `EARSHOT_MEETING_DIR`. */
export async function writeMeeting(meeting: TestMeeting): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'earshot-meeting-'));
  const engine = await createOpusEngine();
  const voices = await readMeetingVoices(engine, RATE_HZ);
  const participants = [];
  for (const [key, sound] of Object.entries(meeting.participants)) {
    const packets = encodeFrames(engine, pcmOf(sound, meeting.durationMs, voices), {
      sampleRateHz: RATE_HZ,
      channels: 1,
      bitrateBps: 24_000,
      dtx: false,
      application: 'voip',
    });
    const audio = `${key}.opus`;
    await writeFile(path.join(folder, audio), await writeOggOpus({ packets }));
    participants.push({ key, displayName: key, audio });
  }
  const definition = { name: 'chaos', durationMs: meeting.durationMs, participants };
  await writeFile(path.join(folder, 'meeting.json'), JSON.stringify(definition));
  return folder;
}

/** @param voices what is said wherever somebody speaks, from its beginning */
function pcmOf(
  { tones = [], speech = [] }: Sound,
  durationMs: number,
  voices: Int16Array,
): Int16Array {
  const pcm = new Int16Array((durationMs * RATE_HZ) / 1000);
  for (const { digit, startMs, durationMs: toneMs } of tones) {
    pcm.set(generateTone({ digit, durationMs: toneMs, sampleRateHz: RATE_HZ }), sampleAt(startMs));
  }
  for (const { startMs, endMs } of speech) {
    const start = sampleAt(startMs);
    for (let i = start; i < sampleAt(endMs); i += 1) pcm[i] = voices[(i - start) % voices.length]!;
  }
  return pcm;
}

function sampleAt(timeMs: number): number {
  return (timeMs * RATE_HZ) / 1000;
}
