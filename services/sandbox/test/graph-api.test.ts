import { systemClock } from '@earshot/async/system';
import { metricRows } from '@earshot/test-kit';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Stage } from './test-stage.js';
import { openStage } from './test-stage.js';

const OTHER_TENANT = '0f0e0d0c-0b0a-4908-8706-050403020100';
const POOR_TENANT = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';

let stage: Stage;
let token = '';

beforeAll(async () => {
  stage = await openStage({
    rolesOf: (tenantId) => (tenantId === POOR_TENANT ? [] : undefined),
  });
  const meeting = { durationMs: 60_000, participants: [] };
  await stage.sandbox.addMeeting({ ...meeting, name: 'other', tenantId: OTHER_TENANT });
  await stage.sandbox.addMeeting({ ...meeting, name: 'poor', tenantId: POOR_TENANT });
  await stage.sandbox.addMeeting({ ...meeting, name: 'long' });
  token = await tokenOf(stage.sandbox.ready.tenantId);
});

afterAll(() => stage.close());
afterEach(() => vi.unstubAllGlobals());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

interface GraphErrorBody {
  readonly code: string;
  readonly message: string;
  readonly innerError: Readonly<Record<string, string>>;
}

async function send(
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await stage.fetch(`${stage.sandbox.ready.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? {} : JSON.parse(text),
  };
}

function codeOf({ status, body }: Answer): string {
  return `${status}/${(body['error'] as GraphErrorBody).code}`;
}

async function tokenOf(tenantId: string, changes: Record<string, string> = {}): Promise<string> {
  const answer = await askToken(tenantId, changes);
  return String(answer.body['access_token']);
}

async function askToken(tenantId: string, changes: Record<string, string> = {}): Promise<Answer> {
  const { clientId, clientSecret, authorityUrl } = stage.sandbox.ready;
  const response = await stage.fetch(`${authorityUrl}/${tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: 'https://graph.microsoft.com/.default',
      ...changes,
    }),
  });
  const body = (await response.json()) as Answer['body'];
  return { status: response.status, headers: response.headers, body };
}

/** A body for the meeting of that name; the bot's callbacks go under its key. */
function callBody(meetingName: string, key: string, changes: object = {}): object {
  const meeting = stage.sandbox.meetings().find(({ name }) => name === meetingName);
  const url = new URL(meeting?.joinUrl ?? '');
  const context = JSON.parse(url.searchParams.get('context') ?? '{}');
  return {
    '@odata.type': '#microsoft.graph.call',
    callbackUri: stage.bot.uri(key),
    requestedModalities: ['audio'],
    mediaConfig: {
      '@odata.type': '#microsoft.graph.appHostedMediaConfig',
      blob: stage.sandbox.mediaHost.allocate(`c_${key}`).blob,
    },
    chatInfo: {
      '@odata.type': '#microsoft.graph.chatInfo',
      threadId: decodeURIComponent(url.pathname.split('/')[3] ?? ''),
      messageId: '0',
    },
    meetingInfo: {
      '@odata.type': '#microsoft.graph.organizerMeetingInfo',
      organizer: {
        '@odata.type': '#microsoft.graph.identitySet',
        user: {
          '@odata.type': '#microsoft.graph.identity',
          id: context.Oid,
          tenantId: context.Tid,
        },
      },
    },
    tenantId: context.Tid,
    ...changes,
  };
}

describe('the token endpoint', () => {
  it('gives msal a token that the calls API takes, over verified TLS', async () => {
    vi.stubGlobal('fetch', stage.fetch);
    const bought = await stage.tokens.token(stage.sandbox.ready.tenantId);
    const answer = await send('GET', '/v1.0/communications/calls/none', undefined, {
      authorization: `Bearer ${bought}`,
    });
    expect(codeOf(answer)).toBe('404/8522');
  });

  it('is not trusted without its certificate', async () => {
    const url = `${stage.sandbox.ready.url}/livez`;
    await expect(fetch(url)).rejects.toThrow();
    expect((await stage.fetch(url)).status).toBe(200);
  });

  it.each([
    ['a wrong secret', { client_secret: 'guess' }, 401, 7000215],
    ['an unknown app', { client_id: 'nobody' }, 400, 700016],
    ['another grant', { grant_type: 'password' }, 400, 70003],
    ['another scope', { scope: 'https://graph.microsoft.com/Calls.Read' }, 400, 1002012],
  ])('refuses %s', async (_name, changes, status, number) => {
    const answer = await askToken(stage.sandbox.ready.tenantId, changes);
    expect([answer.status, answer.body['error_codes']]).toEqual([status, [number]]);
    expect(answer.body).not.toHaveProperty('access_token');
  });

  it('refuses a tenant that does not exist, at discovery and at the token', async () => {
    const nowhere = '00000000-0000-4000-8000-000000000000';
    expect((await askToken(nowhere)).body['error_codes']).toEqual([90002]);
    const path = `/${nowhere}/v2.0/.well-known/openid-configuration`;
    expect((await send('GET', path)).status).toBe(400);
  });

  it('says to msal what is wrong with the secret', async () => {
    vi.stubGlobal('fetch', stage.fetch);
    const { GraphTokens } = await import('@earshot/graph');
    const { ready } = stage.sandbox;
    const tokens = new GraphTokens({
      clientId: ready.clientId,
      credential: { kind: 'secret', clientSecret: 'guess' },
      clock: systemClock,
      endpoints: {
        graphBaseUrl: ready.graphBaseUrl,
        authorityBaseUrl: ready.authorityUrl,
        callbackOpenIdUrls: [ready.callbackOpenIdUrl],
        callbackIssuers: [ready.callbackIssuer],
      },
    });
    await expect(tokens.token(ready.tenantId)).rejects.toThrow('AADSTS7000215');
    tokens.close();
  });
});

describe('creating a call', () => {
  it('answers 201 with the call as Graph does', async () => {
    const answer = await send('POST', '/v1.0/communications/calls', callBody('long', 'created'));
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      '@odata.type': '#microsoft.graph.call',
      state: 'establishing',
      direction: 'outgoing',
      tenantId: stage.sandbox.ready.tenantId,
      id: expect.stringMatching(/^[\da-f-]{36}$/),
      myParticipantId: expect.stringMatching(/^[\da-f-]{36}$/),
      callChainId: expect.stringMatching(/^[\da-f-]{36}$/),
      mediaConfig: { '@odata.type': '#microsoft.graph.appHostedMediaConfig' },
    });
    expect(answer.headers.get('location')).toContain(String(answer.body['id']));
    const shown = await send('GET', `/beta/app/calls/${answer.body['id']}`);
    expect(shown.body['id']).toBe(answer.body['id']);
  });

  it.each([
    ['no token', { authorization: '' }, '401/InvalidAuthenticationToken'],
    ['a made-up token', { authorization: 'Bearer a.b.c' }, '401/InvalidAuthenticationToken'],
  ])('refuses %s', async (_name, headers, code) => {
    const body = callBody('long', 'x');
    expect(codeOf(await send('POST', '/v1.0/communications/calls', body, headers))).toBe(code);
  });

  it('refuses bodies that are no JSON, no object, or no call', async () => {
    for (const body of ['{"cut', '[]', '"call"', '', '{"@odata.type":7}']) {
      const answer = await send('POST', '/v1.0/communications/calls', body);
      expect(answer.status).toBe(400);
    }
  });

  it("refuses a token of another tenant than the meeting's", async () => {
    const answer = await send('POST', '/v1.0/communications/calls', callBody('other', 'x'));
    expect(codeOf(answer)).toBe('403/7505');
    const otherToken = await tokenOf(OTHER_TENANT);
    const accepted = await send('POST', '/v1.0/communications/calls', callBody('other', 'ok'), {
      authorization: `Bearer ${otherToken}`,
    });
    expect(accepted.status).toBe(201);
    // The other way round: the call is not to be seen with a token of the first tenant.
    const peek = await send('GET', `/v1.0/communications/calls/${accepted.body['id']}`);
    expect(codeOf(peek)).toBe('403/7505');
  });

  it('refuses an app without consent in the tenant', async () => {
    const poorToken = await tokenOf(POOR_TENANT);
    const answer = await send('POST', '/v1.0/communications/calls', callBody('poor', 'x'), {
      authorization: `Bearer ${poorToken}`,
    });
    expect(codeOf(answer)).toBe('403/7504');
  });

  it('refuses a meeting id that is not known', async () => {
    const meetingInfo = {
      '@odata.type': '#microsoft.graph.joinMeetingIdMeetingInfo',
      joinMeetingId: '999999999999',
      passcode: 'x',
    };
    const body = callBody('long', 'x', { chatInfo: undefined, meetingInfo });
    expect(codeOf(await send('POST', '/v1.0/communications/calls', body))).toBe('400/8561');
  });

  it('traces requests as Graph does', async () => {
    const answer = await send('POST', '/v1.0/communications/calls', '[]', {
      'client-request-id': 'my-request',
      'scenario-id': 'my-scenario',
    });
    const error = answer.body['error'] as GraphErrorBody;
    expect(answer.headers.get('request-id')).toBe(error.innerError['request-id']);
    expect(answer.headers.get('client-request-id')).toBe('my-request');
    expect(error.innerError['client-request-id']).toBe('my-request');
    expect(answer.headers.get('scenario-id')).toBe('my-scenario');
    expect(error.innerError['date']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
  });
});

describe('a call that is there', () => {
  let path = '';
  let id = '';

  beforeAll(async () => {
    const answer = await send('POST', '/v1.0/communications/calls', callBody('long', 'there'));
    id = String(answer.body['id']);
    path = `/v1.0/communications/calls/${id}`;
    await stage.bot.untilState('there', 'established');
  });

  it('takes keepAlive, under its present name only', async () => {
    expect((await send('POST', `${path}/keepAlive`)).status).toBe(200);
    expect((await send('POST', `${path}/microsoft.graph.keepAlive`)).status).toBe(200);
    expect(codeOf(await send('POST', `/beta/app/calls/${id}/keepAlive`))).toBe('400/BadRequest');
  });

  it('mutes and unmutes the bot, and shows it in the roster', async () => {
    const muted = await send('POST', `${path}/mute`, { clientContext: 'ctx' });
    expect(muted.body).toMatchObject({
      '@odata.type': '#microsoft.graph.muteParticipantOperation',
      status: 'completed',
      clientContext: 'ctx',
    });
    const participants = await send('GET', `${path}/participants`);
    expect(participants.body['value']).toMatchObject([{ isMuted: true, isInLobby: false }]);
    expect((await send('POST', `${path}/unmute`, {})).body).toMatchObject({
      '@odata.type': '#microsoft.graph.unmuteParticipantOperation',
    });
    const again = await send('GET', `${path}/participants`);
    expect(again.body['value']).toMatchObject([{ isMuted: false }]);
    const tooLong = { clientContext: 'x'.repeat(257) };
    expect(codeOf(await send('POST', `${path}/mute`, tooLong))).toBe('400/8523');
  });

  it.each([
    ['updateRecordingStatus', { status: 'recording' }, '403/8506'],
    ['updateRecordingStatus', { status: 'perhaps' }, '400/8523'],
    ['subscribeToTone', {}, '500/9999'],
    ['playPrompt', {}, '500/9999'],
    ['recordResponse', {}, '500/9999'],
    ['sendDtmfTones', {}, '400/8523'],
    ['sendDtmfTones', { tones: ['tone1', 'loud'] }, '400/8523'],
    ['changeScreenSharingRole', { role: 'owner' }, '400/8523'],
    ['transfer', { transferTarget: { identity: { user: { id: 'u' } } } }, '400/8523'],
    ['levitate', {}, '400/BadRequest'],
  ])('answers %s %o with %s', async (action, body, code) => {
    expect(codeOf(await send('POST', `${path}/${action}`, body))).toBe(code);
  });

  it('is gone after DELETE, for every method', async () => {
    const deleted = await send('DELETE', path);
    expect([deleted.status, deleted.body]).toEqual([204, {}]);
    expect(codeOf(await send('GET', path))).toBe('404/8522');
    expect(codeOf(await send('DELETE', path))).toBe('404/8522');
    expect(codeOf(await send('POST', `${path}/keepAlive`))).toBe('404/8522');
    const end = await stage.bot.untilState('there', 'terminated');
    expect(end).toMatchObject({
      changeType: 'deleted',
      data: { resultInfo: { code: 200, subcode: 7000 } },
    });
    expect(stage.bot.states('there').slice(-2)).toEqual(['terminating', 'terminated']);
  });
});

describe('the sandbox beside Graph', () => {
  it('lists meetings with URLs in their real form', async () => {
    const { body } = await send('GET', '/sandbox/meetings');
    expect(body['meetings']).toMatchObject([
      {
        name: 'test',
        joinUrl: expect.stringMatching(
          /^https:\/\/teams\.microsoft\.com\/l\/meetup-join\/19%3ameeting_.+context=/,
        ),
        shortJoinUrl: expect.stringMatching(
          /^https:\/\/teams\.microsoft\.com\/meet\/\d+\?p=\w{8}$/,
        ),
        participants: ['Ada', 'Bob'],
        durationMs: 4_000,
      },
      { name: 'other' },
      { name: 'poor' },
      { name: 'long' },
    ]);
  });

  it('takes another meeting, with audio of the bundled one', async () => {
    const definition = {
      name: 'posted',
      durationMs: 2_000,
      participants: [{ key: 'eve', displayName: 'Eve', audio: 'ada.opus' }],
    };
    const answer = await send('POST', '/sandbox/meetings', definition);
    expect([answer.status, answer.body['participants']]).toEqual([201, ['Eve']]);
  });

  it.each([
    ['no participants', { name: 'x', durationMs: 2_000 }, '400/invalid_meeting'],
    ['a path as audio', meetingWith({ audio: '../../../../etc/passwd' }), '400/invalid_meeting'],
    ['audio that is not there', meetingWith({ audio: 'eve.opus' }), '400/audio_file_unreadable'],
    ['audio that is no audio', meetingWith({ audioBase64: 'bm90IGF1ZGlv' }), '400/not_ogg_opus'],
    [
      'leaving before joining',
      meetingWith({ joinAtMs: 500, leaveAtMs: 100 }),
      '400/invalid_meeting',
    ],
    [
      'frames missing that were never there',
      meetingWith({ missing: [{ firstFrame: 0, frames: 1 }] }),
      '400/invalid_meeting',
    ],
  ])('refuses a meeting with %s', async (_name, definition, code) => {
    expect(codeOf(await send('POST', '/sandbox/meetings', definition))).toBe(code);
  });

  it('shows health and metrics', async () => {
    expect((await send('GET', '/livez')).status).toBe(200);
    expect((await send('GET', '/readyz')).status).toBe(200);
    const metrics = await stage.fetch(`${stage.sandbox.ready.url}/metrics`);
    const { documented, served } = await metricRows('sandbox', await metrics.text());
    expect(documented).toEqual(served);
  });
});

function meetingWith(participant: object): object {
  return {
    name: 'x',
    durationMs: 1_000,
    participants: [{ key: 'eve', displayName: 'Eve', ...participant }],
  };
}
