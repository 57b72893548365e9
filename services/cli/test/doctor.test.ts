import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';

const MAIN = path.resolve(import.meta.dirname, '../dist/main.js');

const report = z.object({
  ok: z.boolean(),
  checks: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['ok', 'missing', 'broken']),
      detail: z.string(),
      fix: z.string().nullable(),
    }),
  ),
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'earshot-doctor-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function doctor(env: Record<string, string>): { status: number | null; text: string } {
  const ran = spawnSync(process.execPath, [MAIN, 'doctor', '--json'], {
    encoding: 'utf8',
    // Nothing else can end it: the test's own time limit does not come due while it is waited for.
    timeout: 200_000,
    killSignal: 'SIGKILL',
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
  });
  return { status: ran.status, text: ran.stdout };
}

test('all that is needed is there; what may be there is told with how to get it', () => {
  const { status, text } = doctor({});
  const { ok, checks } = report.parse(JSON.parse(text));
  const states = Object.fromEntries(checks.map(({ name, state }) => [name, state]));
  expect(states).toMatchObject({
    node: 'ok',
    'opus engine': 'ok',
    soundswallower: 'ok',
    EARSHOT_STT_MODEL: 'missing',
    proxies: 'ok',
    'azure-speech': 'missing',
    openai: 'missing',
    deepgram: 'missing',
  });
  expect(ok).toBe(true);
  expect(status).toBe(0);
  for (const { state, fix } of checks) expect(fix === null).toBe(state === 'ok');
});

test('settings are told of, never their values; what is wrong with them is said', () => {
  writeFileSync(path.join(folder, 'tokens.txt'), '<blk> 0\n');
  const { status, text } = doctor({
    EARSHOT_STT_MODEL: folder,
    EARSHOT_STT_ENGINES: 'azure-speech,sherpa-onnx,parrot',
    EARSHOT_AZURE_SPEECH_KEY: 'secret-key',
    EARSHOT_AZURE_SPEECH_REGION: 'westeurope',
    EARSHOT_OPENAI_BASE_URL: 'http://user:secret@host/v1',
    EARSHOT_DEEPGRAM_API_KEY: 'other-secret',
    HTTPS_PROXY: 'http://jo:secret@proxy:3128',
    NO_PROXY: '.secret.example,10.0.0.0/8',
  });
  const { ok, checks } = report.parse(JSON.parse(text));
  const byName = new Map(checks.map((check) => [check.name, check]));
  expect(byName.get('azure-speech')?.state).toBe('ok');
  expect(byName.get('deepgram')?.state).toBe('ok');
  expect(byName.get('proxies')).toMatchObject({
    state: 'ok',
    detail: 'HTTPS_PROXY set, with 2 exceptions in NO_PROXY; not tried',
  });
  expect(byName.get('openai')).toMatchObject({ state: 'broken' });
  expect(byName.get('EARSHOT_STT_ENGINES')).toMatchObject({ state: 'broken' });
  expect(byName.get('EARSHOT_STT_MODEL')).toMatchObject({ state: 'broken' });
  expect(byName.get('EARSHOT_STT_MODEL')?.detail).toContain('encoder*.onnx');
  // It is one of the engines asked for.
  expect(ok).toBe(false);
  expect(status).toBe(1);
  expect(text).not.toMatch(/secret|parrot/);
});

test('a proxy that no request can go through is told of by its variable', () => {
  const { status, text } = doctor({ https_proxy: 'socks5://jo:secret@proxy:1080' });
  const { checks } = report.parse(JSON.parse(text));
  const told = checks.find(({ name }) => name === 'proxies');
  expect(told).toMatchObject({ state: 'broken', detail: expect.stringContaining('HTTPS_PROXY') });
  expect(status).toBe(1);
  expect(text).not.toContain('secret');
});

test('an identity in place of a key is told of with what it needs', () => {
  const azure = { EARSHOT_AZURE_SPEECH_ENDPOINT: 'https://secret.cognitiveservices.azure.com/' };
  const stateOf = (env: Record<string, string>): unknown => {
    const { text } = doctor({ ...azure, ...env });
    expect(text).not.toContain('secret');
    const { checks } = report.parse(JSON.parse(text));
    return checks.find(({ name }) => name === 'azure-speech');
  };
  const identity = (who: string): Record<string, string> => ({
    EARSHOT_AZURE_SPEECH_IDENTITY: who,
  });
  expect(stateOf(identity('system'))).toMatchObject({ state: 'ok' });
  const { state, detail } = report.shape.checks.element.parse(stateOf(identity('environment')));
  expect(state).toBe('broken');
  expect(detail).toContain('AZURE_TENANT_ID');
});
