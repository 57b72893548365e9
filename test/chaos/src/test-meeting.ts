import { mkdtemp, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Digit } from '@earshot/dtmf';
import { generateTone } from '@earshot/dtmf';
import { createOpusEngine, encodeFrames, writeOggOpus } from '@earshot/opus';

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
  const participants = [];
  for (const [key, sound] of Object.entries(meeting.participants)) {
    const packets = encodeFrames(engine, pcmOf(sound, meeting.durationMs), {
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

function pcmOf({ tones = [], speech = [] }: Sound, durationMs: number): Int16Array {
  const pcm = new Int16Array((durationMs * RATE_HZ) / 1000);
  for (const { digit, startMs, durationMs: toneMs } of tones) {
    pcm.set(generateTone({ digit, durationMs: toneMs, sampleRateHz: RATE_HZ }), sampleAt(startMs));
  }
  for (const { startMs, endMs } of speech) {
    for (let i = sampleAt(startMs); i < sampleAt(endMs); i += 1) pcm[i] = voiceAt(i / RATE_HZ);
  }
  return pcm;
}

function sampleAt(timeMs: number): number {
  return (timeMs * RATE_HZ) / 1000;
}

/** Something like a voice: a buzz of 140 Hz in syllables of changing loudness. */
function voiceAt(seconds: number): number {
  const syllable = Math.abs(Math.sin(Math.PI * 4 * seconds)) * (0.6 + 0.4 * Math.sin(9 * seconds));
  let buzz = 0;
  for (let h = 1; h <= 12; h += 1) buzz += Math.sin(2 * Math.PI * 140 * h * seconds) / h;
  return Math.round(9000 * syllable * buzz);
}
