import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PTIME_MS } from '@earshot/audio';
import { parseJoinUrl } from '@earshot/call';
import { writeOggOpus } from '@earshot/opus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadMeeting } from '../src/meetings/load-meeting.js';
import { testPackets } from './fixtures.js';

const BUNDLED = fileURLToPath(new URL('../meeting/', import.meta.url));
const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';

describe('the bundled meeting', () => {
  it('has everyone in it, with audio for the whole time, and some of it missing', async () => {
    const meeting = await loadMeeting(BUNDLED, TENANT);
    expect(meeting.participants.length).toBeGreaterThanOrEqual(3);
    for (const { joinAtMs, leaveAtMs, packets } of meeting.participants) {
      expect(joinAtMs + packets.length * PTIME_MS).toBeGreaterThanOrEqual(leaveAtMs - 1_000);
    }
    const missing = meeting.participants.reduce((sum, p) => sum + p.missing.size, 0);
    expect(missing).toBeGreaterThan(0);
  });

  it('is found by URLs that a bot can read', async () => {
    const meeting = await loadMeeting(BUNDLED, TENANT);
    const { threadId, organizerId, joinMeetingId, passcode } = meeting;
    expect(parseJoinUrl(meeting.joinUrl)).toMatchObject({
      ok: true,
      target: { kind: 'organizer', threadId, organizerId, tenantId: TENANT },
    });
    expect(parseJoinUrl(meeting.shortJoinUrl)).toMatchObject({
      ok: true,
      target: { kind: 'joinMeetingId', joinMeetingId, passcode },
    });
  });
});

describe('loadMeeting', () => {
  let folder = '';

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'earshot-load-test-'));
    await writeFile(
      path.join(folder, 'stereo.opus'),
      await writeOggOpus({ packets: testPackets(5), channels: 2 }),
    );
    // One frame of 40 ms a packet (RFC 6716 §3.1).
    const long = testPackets(5).map((packet) => Uint8Array.of(0x50, ...packet.subarray(1)));
    await writeFile(path.join(folder, 'long.opus'), await writeOggOpus({ packets: long }));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function load(content: string): Promise<unknown> {
    await writeFile(path.join(folder, 'meeting.json'), content);
    return loadMeeting(folder, TENANT);
  }

  function withAudio(audio: string): string {
    const participants = [{ key: 'a', displayName: 'A', audio }];
    return JSON.stringify({ name: 'x', durationMs: 1_000, participants });
  }

  it.each([
    ['no JSON', '{', 'meeting_unreadable'],
    ['no meeting', '{}', 'invalid_meeting'],
    ['audio in stereo', withAudio('stereo.opus'), 'unsupported_audio_file'],
    ['packets of another length', withAudio('long.opus'), 'unsupported_audio_file'],
    ['audio that is not there', withAudio('none.opus'), 'audio_file_unreadable'],
  ])('refuses %s', async (_name, content, code) => {
    await expect(load(content)).rejects.toMatchObject({ code });
  });
});
