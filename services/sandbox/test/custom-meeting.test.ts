import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { writeOggOpus } from '@earshot/opus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCustomMeeting } from '../src/meetings/custom-meeting.js';
import { testPackets } from './fixtures.js';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'earshot-custom-test-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, content: Uint8Array | string): Promise<string> {
  const target = path.join(folder, name);
  await writeFile(target, content);
  return target;
}

describe('createCustomMeeting', () => {
  it('makes a participant of each file, named after it, all from the start', async () => {
    const long = testPackets(100, 1);
    const short = testPackets(20, 2);
    const meeting = await createCustomMeeting(
      [
        await file('Ada Lovelace.opus', await writeOggOpus({ packets: long })),
        await file('bob.ogg', await writeOggOpus({ packets: short })),
      ],
      't',
    );
    expect(meeting).toMatchObject({ name: 'custom', durationMs: 2_400, tenantId: 't' });
    expect(meeting.participants).toMatchObject([
      { displayName: 'Ada Lovelace', joinAtMs: 0, leaveAtMs: 2_400, sourceId: '201' },
      { displayName: 'bob', joinAtMs: 0, sourceId: '202' },
    ]);
    expect(meeting.participants.map(({ packets }) => packets)).toEqual([long, short]);
  });

  it.each([
    ['text named .opus', 'text.opus', 'not audio at all', 'not_ogg_opus'],
    ['an Ogg file without Opus', 'ogg.opus', `OggS${'\0'.repeat(60)}`, 'not_ogg_opus'],
    ['text named otherwise', 'text.txt', 'not audio at all', 'unsupported_audio_file'],
  ])('refuses %s', async (_name, name, content, code) => {
    const target = await file(name, content);
    await expect(createCustomMeeting([target], 't')).rejects.toMatchObject({ code });
  });

  it('refuses a file that is not there', async () => {
    const target = path.join(folder, 'nothing.opus');
    await expect(createCustomMeeting([target], 't')).rejects.toMatchObject({
      code: 'audio_file_unreadable',
    });
  });
});
