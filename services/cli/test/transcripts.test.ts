import { once } from 'node:events';
import { createServer } from 'node:http';
import type { EarshotEvent } from '@earshot/events';
import { describe, expect, it } from 'vitest';
import type { Outcome } from './run-earshot.js';
import { runEarshotWith } from './run-earshot.js';

function run(args: readonly string[], input = '', url = 'http://127.0.0.1:9'): Promise<Outcome> {
  const env = { EARSHOT_URL: url, EARSHOT_API_KEY: 'key' };
  return runEarshotWith({ input: Buffer.from(input), env }, ...args);
}

function said(callId: string, text: string): string {
  const event: EarshotEvent = {
    ...{ version: 1, id: `${callId}.final`, type: 'transcript.final', callId, epoch: 1 },
    ...{ source: 'media', position: 0, mediaTimeMs: 2000, wallclock: '2026-01-01T00:00:02.000Z' },
    ...{ participant: { id: 'p_1', displayName: 'Ada' }, sourceId: '7' },
    data: {
      ...{ utteranceId: 'u', text, startMs: 1000, endMs: 2000, words: [], gaps: [] },
      ...{ confidence: null, engine: 'test', language: 'en-US' },
    },
  };
  return `${JSON.stringify(event)}\n`;
}

describe('earshot transcripts from-events', () => {
  it('writes what events tell, once', async () => {
    const line = said('c_1', 'call me back');
    const { stdout, code } = await run(
      ['transcripts', 'from-events', '-', '--format', 'vtt'],
      line + line,
    );
    expect(code).toBe(0);
    expect(stdout).toBe('WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\n<v Ada>call me back</v>\n\n');
  });

  it('wants to know which of several calls, and says which line is none', async () => {
    const both = said('c_1', 'one') + said('c_2', 'two');
    const fromEvents = (more: readonly string[], input?: string) =>
      run(['transcripts', 'from-events', ...more], input);
    const [asked, second, broken, missing] = await Promise.all([
      fromEvents(['-'], both),
      fromEvents(['-', '--call', 'c_2'], both),
      fromEvents(['-'], `${said('c_1', 'a')}{"x":"secret"}`),
      fromEvents(['/none']),
    ]);
    expect(asked).toMatchObject({ code: 1, stdout: '' });
    expect(asked.stderr).toContain('[several_calls]');
    expect(asked.stderr).toContain('--call: c_1 c_2');
    expect(JSON.parse(second.stdout)).toMatchObject({ callId: 'c_2' });
    expect(broken.stderr).toContain('got JSON of something else in line 2 [invalid_events]');
    expect(broken.stderr).not.toContain('secret');
    expect(missing.stderr).toMatch(
      /\/none must be a readable file, got ENOENT.*\[events_unreadable\]/,
    );
  });
});

describe('earshot calls listening, transcripts and join', () => {
  it('ask signaling, and refuse settings that are none before they do', async () => {
    const asked: string[] = [];
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      asked.push(`${request.method} ${request.url} ${body}`);
      response.end(request.url?.includes('transcript') ? 'WEBVTT\n\n' : '{"tones":["beep"]}');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    try {
      const set = ['calls', 'listening', 'c_1', '--set', '{"tones":["beep"]}'];
      const answered = await run(set, '', url);
      expect(JSON.parse(answered.stdout)).toMatchObject({ tones: ['beep'], phrases: null });
      const wrong = await run(['join', 'https://x', '--listen', '{"tone":[]}'], '', url);
      expect(wrong.code).toBe(1);
      expect(wrong.stderr).toContain('it must be JSON such as');
      await run(['join', 'https://x', '--listen', '{"phrases":{"phrases":["a"]}}'], '', url);
      const shown = await run(['transcripts', 'show', 'c_1', '--format', 'vtt'], '', url);
      expect(shown.stdout).toBe('WEBVTT\n\n');
      expect(asked).toEqual([
        'PATCH /v1/calls/c_1/listening {"tones":["beep"]}',
        expect.stringMatching(/^POST \/v1\/calls .*"listening":\{"phrases":\{"phrases":\["a"\]/),
        'GET /v1/calls/c_1/transcript?format=vtt ',
      ]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
