import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { DetectedTone } from '@earshot/dtmf';
import { DtmfDetector } from '@earshot/dtmf';
import { beforeAll, describe, expect, test } from 'vitest';
import type { OggOpus } from '../src/index.js';
import { createOpusEngine, readOggOpus } from '../src/index.js';

// The sample meeting (made by scripts/make-sample-meeting.mjs) must be what its meeting.json says.
const FOLDER = fileURLToPath(new URL('../../../services/sandbox/meeting/', import.meta.url));
const FRAME_MS = 20;
const FRAME = 320;

interface Participant {
  key: string;
  audio: string;
  sourceId: string;
  joinAtMs: number;
  leaveAtMs?: number;
  digits: { digit: string; startMs: number; durationMs: number }[];
  speech: { startMs: number; endMs: number }[];
  missing: { firstFrame: number; frames: number }[];
}

interface Track {
  participant: Participant;
  file: OggOpus;
  /** Decoded, one entry a frame. */
  frames: Int16Array[];
}

const meeting: { durationMs: number; participants: Participant[] } = JSON.parse(
  readFileSync(`${FOLDER}meeting.json`, 'utf8'),
);
let tracks: Track[];

beforeAll(async () => {
  const engine = await createOpusEngine();
  const pool = engine.createDecoderPool({ sampleRateHz: 16_000, channels: 1, capacity: 4 });
  tracks = [];
  for (const participant of meeting.participants) {
    const file = await readOggOpus(FOLDER + participant.audio);
    const decoder = pool.acquire();
    const frames = file.packets.map((packet) => {
      const out = new Int16Array(FRAME);
      expect(decoder.decode(packet, 0, packet.length, out)).toBe(FRAME);
      return out;
    });
    tracks.push({ participant, file, frames });
  }
});

test('is small, and mono in packets of 20 ms from joining to leaving', async () => {
  const names = await readdir(FOLDER);
  const sizes = await Promise.all(names.map(async (name) => (await stat(FOLDER + name)).size));
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(400_000);
  for (const { participant, file } of tracks) {
    const endMs = participant.leaveAtMs ?? meeting.durationMs;
    expect(file).toMatchObject({ channels: 1, preSkip: 0, ignoredBytes: 0 });
    expect(file.packets.length * FRAME_MS).toBe(endMs - participant.joinAtMs);
    expect(new Set(file.packetDurationMs)).toEqual(new Set([FRAME_MS]));
    expect(participant.sourceId).toMatch(/^\d+$/);
  }
});

test('DTX makes most packets tiny', () => {
  for (const { file } of tracks) {
    const tiny = file.packets.filter((packet) => packet.length <= 2).length;
    expect(tiny / file.packets.length).toBeGreaterThan(0.6);
  }
});

test('speech is loud, and all else but digits is quiet', () => {
  for (const { participant, frames } of tracks) {
    const sounds = [
      ...participant.speech,
      ...participant.digits.map((d) => ({ startMs: d.startMs, endMs: d.startMs + d.durationMs })),
    ];
    for (const [index, frame] of frames.entries()) {
      const startMs = participant.joinAtMs + index * FRAME_MS;
      const near = sounds.some(
        (s) => startMs < s.endMs + 100 && startMs + FRAME_MS > s.startMs - 60,
      );
      if (!near) expect(levelDbfs([frame]), `${participant.key} ${startMs}`).toBeLessThan(-45);
    }
    for (const { startMs, endMs } of participant.speech) {
      const first = Math.ceil((startMs - participant.joinAtMs) / FRAME_MS);
      const last = Math.floor((endMs - participant.joinAtMs) / FRAME_MS);
      expect(levelDbfs(frames.slice(first, last))).toBeGreaterThan(-32);
      expect(levelDbfs(frames.slice(first, last))).toBeLessThan(-18);
    }
  }
});

test('two pairs of stretches overlap', () => {
  let overlaps = 0;
  for (const { participant: a } of tracks) {
    for (const { participant: b } of tracks) {
      if (a.key >= b.key) continue;
      for (const x of a.speech) {
        for (const y of b.speech) {
          if (Math.min(x.endMs, y.endMs) - Math.max(x.startMs, y.startMs) >= 300) overlaps += 1;
        }
      }
    }
  }
  expect(overlaps).toBe(2);
});

describe('lost frames', () => {
  test('are 19, in runs of all sizes, and exist in the files', () => {
    const runs = meeting.participants.flatMap(({ missing }) => missing.map(({ frames }) => frames));
    expect(runs.toSorted((a, b) => a - b)).toEqual([1, 1, 2, 3, 12]);
    for (const { participant, file } of tracks) {
      for (const { firstFrame, frames } of participant.missing) {
        expect(firstFrame + frames).toBeLessThan(file.packets.length);
      }
    }
  });

  test('one of them lies inside the digit 7', () => {
    const caller = meeting.participants.find(({ digits }) => digits.length > 0)!;
    const seven = caller.digits.find(({ digit }) => digit === '7')!;
    const inside = caller.missing.filter(({ firstFrame, frames }) => {
      const startMs = caller.joinAtMs + firstFrame * FRAME_MS;
      const endMs = startMs + frames * FRAME_MS;
      return startMs > seven.startMs && endMs < seven.startMs + seven.durationMs;
    });
    expect(inside.map(({ frames }) => frames)).toEqual([1]);
  });
});

describe('digits', () => {
  test('exactly those are heard, at their times, with the lost frames as gaps', () => {
    for (const track of tracks) {
      const heard = detect(track);
      const told = track.participant.digits;
      expect(heard.map(({ digit }) => digit)).toEqual(told.map(({ digit }) => digit));
      for (const [index, tone] of heard.entries()) {
        expect(Math.abs(tone.startMs - told[index]!.startMs)).toBeLessThan(15);
        expect(Math.abs(tone.durationMs - told[index]!.durationMs)).toBeLessThan(20);
        expect(tone.acrossGap).toBe(tone.digit === '7');
        expect(tone.levelDbfs).toBeGreaterThan(-15);
        expect(tone.levelDbfs).toBeLessThan(-9);
      }
    }
  });

  test('are 1 4 7 # 9, and not spoken over by the caller', () => {
    const caller = meeting.participants.find(({ digits }) => digits.length > 0)!;
    expect(caller.digits.map(({ digit }) => digit).join('')).toBe('147#9');
    for (const { startMs, durationMs } of caller.digits) {
      const spoken = caller.speech.some(
        (s) => s.startMs < startMs + durationMs && s.endMs > startMs,
      );
      expect(spoken).toBe(false);
    }
  });
});

function detect({ participant, frames }: Track): DetectedTone[] {
  const tones: DetectedTone[] = [];
  const detector = new DtmfDetector({ sampleRateHz: 16_000, onTone: (tone) => tones.push(tone) });
  const lost = new Set(
    participant.missing.flatMap((m) =>
      Array.from({ length: m.frames }, (_, i) => m.firstFrame + i),
    ),
  );
  for (const [index, frame] of frames.entries()) {
    if (lost.has(index)) detector.gap(FRAME_MS);
    else detector.process(frame, participant.joinAtMs + index * FRAME_MS);
  }
  detector.discontinuity();
  return tones;
}

function levelDbfs(frames: readonly Int16Array[]): number {
  let sum = 1;
  for (const frame of frames) for (const sample of frame) sum += sample * sample;
  return 10 * Math.log10(sum / (frames.length * FRAME) / 32_768 ** 2);
}
