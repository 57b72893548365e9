import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { REPOSITORY } from '../dist/main-job.js';
import type { WholeStack } from './whole-stack.js';
import { startWholeStack } from './whole-stack.js';

const CALLER = path.join(REPOSITORY, 'services', 'sandbox', 'meeting', 'caller.opus');
const SAMPLE = path.join(REPOSITORY, 'services', 'sandbox', 'meeting', 'meeting.json');

interface Sample {
  readonly durationMs: number;
  readonly participants: readonly {
    readonly key: string;
    readonly digits?: readonly { readonly digit: string; readonly startMs: number }[];
  }[];
}

let stack: WholeStack;

beforeAll(async () => {
  stack = await startWholeStack();
});

afterAll(() => stack.close());

it('keys that the media host reports and that are heard too are told once each', async () => {
  const sample: Sample = JSON.parse(await readFile(SAMPLE, 'utf8'));
  const caller = sample.participants.find(({ key }) => key === 'caller');
  const { joinUrl } = await stack.sandbox.addMeeting({
    name: 'keys',
    durationMs: sample.durationMs,
    participants: [
      {
        ...{ key: 'caller', kind: 'phone', displayName: 'Caller', toneEvents: true },
        ...{ digits: caller?.digits, audioBase64: (await readFile(CALLER)).toString('base64') },
      },
    ],
  });
  const events = await stack.ended(await stack.call({ joinUrl, displayName: 'Bot' }));

  const tones = events.filter((event) => event.type === 'tone.detected');
  expect(tones.map(({ data }) => data.digit).join('')).toBe('147#9');
  expect(new Set(tones.map(({ id }) => id)).size).toBe(5);
  expect(tones.map(({ participant }) => participant?.displayName)).toEqual(Array(5).fill('Caller'));
  // The host's report of a key comes as it is pressed, before the sound of it ends.
  expect(tones.some(({ data }) => data.origin === 'host')).toBe(true);
  const metrics = await (await fetch(`${stack.worker.url}/metrics`)).text();
  expect(/^earshot_tones_folded_total\S* (\d+)$/m.exec(metrics)?.[1]).toBe('5');
});
