import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WholeStack } from './whole-stack.js';
import { API_KEY, CLIENT_SECRET, HOST_KEY, startWholeStack } from './whole-stack.js';

const BOT_NAME = 'Botolph Secretary';
const PASSCODE = 'Pas5c0deOfTheMeeting';
/** Spoken in the sample meeting. */
const PHRASES = ['call me back', 'share the report'];

let stack: WholeStack;
/** What must not be seen, by what it is. */
const secrets = new Map<string, string>();

beforeAll(async () => {
  stack = await startWholeStack();
});

afterAll(() => stack.close());

/** Notes what only passes through: blobs, media tokens. */
function watchHost(): void {
  const { mediaHost } = stack.sandbox;
  const claim = mediaHost.claim.bind(mediaHost);
  mediaHost.claim = (blob, ...rest) => {
    secrets.set('blob', blob);
    return claim(blob, ...rest);
  };
  const attach = mediaHost.attach.bind(mediaHost);
  mediaHost.attach = (mediaId, attachment) => {
    secrets.set('media token', attachment.token);
    return attach(mediaId, attachment);
  };
}

async function send(path: string, headers: Record<string, string>, body: string): Promise<number> {
  const url = stack.signaling.url + path;
  return (await fetch(url, { method: 'POST', headers, body })).status;
}

describe('the logs of a whole call, at debug', () => {
  it('hold no name, digit, phrase, token, blob, passcode or link into a meeting', async () => {
    watchHost();
    const meeting = stack.sandbox.meetings()[0];
    if (meeting === undefined) throw new Error('the sandbox must have a meeting');
    const callId = await stack.call({
      joinUrl: meeting.joinUrl,
      displayName: BOT_NAME,
      listening: { phrases: { phrases: PHRASES } },
    });
    await goWrong(meeting.joinUrl);
    const events = await stack.ended(callId);

    for (const name of meeting.participants) secrets.set(`name ${name}`, name);
    const digits = events.flatMap((event) =>
      event.type === 'tone.detected' ? event.data.digit : [],
    );
    expect(digits.join('')).toBe('147#9');
    secrets.set('digits', digits.join(''));
    const phrases = events.flatMap((event) =>
      event.type === 'phrase.recognized' ? event.data.phrase : [],
    );
    expect(phrases.length).toBeGreaterThan(0);
    for (const phrase of phrases) secrets.set(`phrase ${phrase}`, phrase);
    secrets.set('bot name', BOT_NAME);
    secrets.set('passcode', PASSCODE);
    secrets.set('join URL', meeting.joinUrl);
    secrets.set('thread', new URL(meeting.joinUrl).pathname.split('/')[3] ?? '');
    secrets.set('host key', HOST_KEY);
    secrets.set('API key', API_KEY);
    secrets.set('client secret', CLIENT_SECRET);
    secrets.set('bridge key', stack.bridgeKey);

    // There must be something to look through, of all services and levels.
    const lines = stack.lines.map((line): Record<string, unknown> => JSON.parse(line));
    expect(new Set(lines.map(({ service }) => service))).toEqual(
      new Set(['sandbox', 'media-worker', 'signaling']),
    );
    expect([...secrets.keys()]).toEqual(expect.arrayContaining(['blob', 'media token']));
    const all = stack.lines.join('');
    for (const [what, secret] of secrets) {
      for (const form of [
        secret,
        encodeURIComponent(secret),
        JSON.stringify(secret).slice(1, -1),
      ]) {
        expect(all.includes(form), `${what} is in the logs`).toBe(false);
      }
    }
    expect(all).not.toMatch(/\beyJ[\w-]{5}/);
    for (const line of stack.lines) {
      expect(line).not.toMatch(
        /"(?:digits?|tones?|displayName|blob|token|joinUrl)":(?!"\[redacted\]")/,
      );
    }
  });
});

/** Failures are what logs quote. */
async function goWrong(joinUrl: string): Promise<void> {
  const json = { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' };
  const refused = [
    await send(
      '/v1/calls',
      json,
      JSON.stringify({ joinUrl: `${joinUrl}&p=${PASSCODE}`, displayName: 7 }),
    ),
    await send('/v1/calls', json, `{"joinUrl":"https://teams.microsoft.com/meet/1?p=${PASSCODE}"}`),
    await send('/v1/calls', { ...json, authorization: `Bearer ${HOST_KEY}` }, '{}'),
    await send('/v1/callbacks/unknown-attempt', json, BOT_NAME),
  ];
  for (const status of refused) expect(status).toBeGreaterThanOrEqual(400);
  await stack.redis.kill();
  await stack.redis.restart();
}
