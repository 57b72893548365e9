import { readFileSync } from 'node:fs';
import { checkAction, checkType, faultText } from '@earshot/graph-metadata';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GraphCalls } from '../src/graph-calls.js';
import { failure, GraphStand } from './graph-stand.js';
import type { MethodCase } from './methods.js';
import { APP, METHODS, SERVICE } from './methods.js';

const stand = new GraphStand();

beforeEach(() => stand.open());
afterEach(() => stand.close());

function faults({ body }: MethodCase, sent: unknown): string[] {
  if (body === undefined) return sent === undefined ? [] : ['no body is expected'];
  const found =
    'type' in body ? checkType(body.type, sent) : checkAction(body.boundTo, body.action, sent);
  return found.map(faultText);
}

describe.each(['v1.0', 'beta'] as const)('each method, on %s', (version) => {
  it.each(METHODS.map((method) => [method.name, method.request, method] as const))(
    '%s: %s',
    async (_name, request, method) => {
      const { status, answer, gives } = method;
      stand.answer = { status, ...(answer === undefined ? {} : { body: JSON.stringify(answer) }) };
      expect(await method.ask(stand.client({ version }))).toEqual(gives);
      const [seen, ...others] = stand.seen;
      expect(others).toEqual([]);
      expect(`${seen?.method} ${seen?.url}`).toBe(request.replace(' ', ` /${version}`));
      expect(seen?.headers['authorization']).toBe('Bearer token-of-t-1');
      const sent: unknown = seen?.body === '' ? undefined : JSON.parse(seen?.body ?? '');
      expect(faults(method, sent)).toEqual([]);
      expect(sent ?? {}).toMatchObject(method.sends ?? {});
    },
  );
});

describe('each method', () => {
  it.each(METHODS.map((method) => [method.name, method.request, method] as const))(
    '%s: %s fails as Graph says, and says which request it was',
    async (_name, _request, { ask }) => {
      stand.answer = {
        status: 404,
        headers: { 'request-id': 'r-1' },
        body: '{"error":{"code":"8522","message":"Call not found."}}',
      };
      const error = await failure(ask(stand.client()));
      expect(error).toMatchObject({
        code: 'graph_refused',
        status: 404,
        resultCode: 404,
        subcode: 8522,
        requestId: 'r-1',
        mayHaveHappened: false,
        message: expect.stringMatching(/^Cannot .+: Graph must accept it, got 404 8522/),
      });
      expect(error.clientRequestId).toBe(stand.seen[0]?.headers['client-request-id']);
    },
  );

  it.each(
    METHODS.filter(({ answer }) => answer !== undefined).map(
      (method) => [method.name, method] as const,
    ),
  )('%s refuses an answer that says nothing', async (_name, { ask, status }) => {
    stand.answer = { status, body: '{}' };
    const error = await failure(ask(stand.client()));
    expect([error.code, error.mayHaveHappened]).toEqual(['graph_answer_unreadable', true]);
  });

  it('is asked for in these tests, and is in the README', () => {
    const methods = Object.getOwnPropertyNames(GraphCalls.prototype).filter(
      (name) => name !== 'constructor',
    );
    expect([...new Set(METHODS.map(({ name }) => name))].sort()).toEqual(methods.sort());
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const rows = readme.split('\n').filter((line) => line.startsWith('| `'));
    for (const name of methods) expect(rows.join()).toContain(`\`${name}\``);
  });
});

/** The rows of Graph's permission page, and what else the system needs, as methods and paths. */
const PERMISSION_PAGE = [
  'GET /communications/calls/{id}',
  'GET /communications/calls/{id}/participants',
  'DELETE /communications/calls/{id}',
  'POST /communications/calls/{id}/keepAlive',
  'POST /communications/calls/{id}/mute',
  'POST /communications/calls/{id}/unmute',
  'POST /communications/calls/{id}/playPrompt',
  'POST /communications/calls/{id}/recordResponse',
  'POST /communications/calls/{id}/cancelMediaProcessing',
  'POST /communications/calls/{id}/subscribeToTone',
  'POST /communications/calls/{id}/sendDtmfTones',
  'POST /communications/calls/{id}/changeScreenSharingRole',
  'POST /communications/calls/{id}/updateRecordingStatus',
  'POST /communications/calls/logTeleconferenceDeviceQuality',
  'POST /communications/calls',
  'POST /communications/calls/{id}/answer',
  'POST /communications/calls/{id}/reject',
  'POST /communications/calls/{id}/redirect',
  'POST /communications/calls/{id}/transfer',
  'POST /communications/calls/{id}/participants/invite',
  'POST /communications/calls/{id}/participants/{id}/mute',
  'DELETE /communications/calls/{id}/participants/{id}',
  'GET /communications/calls/{id}/participants/{id}',
  'GET /communications/calls/{id}/audioRoutingGroups',
  'POST /communications/calls/{id}/audioRoutingGroups',
  'GET /communications/calls/{id}/audioRoutingGroups/{id}',
  'PATCH /communications/calls/{id}/audioRoutingGroups/{id}',
  'DELETE /communications/calls/{id}/audioRoutingGroups/{id}',
  'POST /communications/calls/{id}/addLargeGalleryView',
  'POST /communications/calls/{id}/participants/{id}/startHoldMusic',
  'POST /communications/calls/{id}/participants/{id}/stopHoldMusic',
] as const;

it.each(PERMISSION_PAGE)('there is a method for %s', (row) => {
  const pattern = new RegExp(`^${row.replaceAll('{id}', '[^/]+')}$`);
  expect(METHODS.some(({ request }) => pattern.test(request))).toBe(true);
});

describe('what Graph would refuse is not sent', () => {
  const FILE = { uri: 'https://media.example/a.wav' };
  const INVITED = { party: { kind: 'user', id: 'u' } } as const;

  it.each([
    ['playPrompt', (calls: GraphCalls) => calls.playPrompt(APP, { prompts: [FILE] })],
    ['recordResponse', (calls: GraphCalls) => calls.recordResponse(APP)],
    ['cancelMediaProcessing', (calls: GraphCalls) => calls.cancelMediaProcessing(APP)],
    ['subscribeToTone', (calls: GraphCalls) => calls.subscribeToTone(APP)],
    [
      'startHoldMusic',
      (calls: GraphCalls) => calls.startHoldMusic(APP, { participantId: 'p', customPrompt: FILE }),
    ],
  ])('%s of a call with app-hosted media', async (_name, ask) => {
    const error = await failure(ask(stand.client()));
    expect(error.code).toBe('needs_service_hosted_media');
    expect(error.message).toMatch(/the call must have service-hosted media, got app-hosted$/);
    expect(error.fix).toBeDefined();
    expect(stand.seen).toEqual([]);
  });

  it.each([
    [
      'changeScreenSharingRole',
      (calls: GraphCalls) => calls.changeScreenSharingRole(SERVICE, { role: 'viewer' }),
    ],
    [
      'updateRecordingStatus',
      (calls: GraphCalls) => calls.updateRecordingStatus(SERVICE, { status: 'recording' }),
    ],
  ])('%s of a call with service-hosted media', async (_name, ask) => {
    const error = await failure(ask(stand.client()));
    expect([error.code, error.mayHaveHappened]).toEqual(['needs_app_hosted_media', false]);
    expect(stand.seen).toEqual([]);
  });

  it.each([
    [
      'no tones',
      (calls: GraphCalls) => calls.sendDtmfTones(APP, { tones: [] }),
      'Cannot send tones: tones must have 1 or more items, got a list of 0',
    ],
    [
      'a negative delay',
      (calls: GraphCalls) => calls.sendDtmfTones(APP, { tones: ['a'], delayBetweenTonesMs: -1 }),
      'delayBetweenTonesMs must be 0 to 2147483647, got -1',
    ],
    [
      '21 prompts',
      (calls: GraphCalls) => calls.playPrompt(SERVICE, { prompts: Array(21).fill(FILE) }),
      'prompts must have 1 to 20 items, got a list of 21',
    ],
    [
      'a long recording',
      (calls: GraphCalls) => calls.recordResponse(SERVICE, { maxRecordDurationSeconds: 121 }),
      'maxRecordDurationInSeconds must be 1 to 120, got 121',
    ],
    [
      '26 targets',
      (calls: GraphCalls) => calls.redirect(APP, { targets: Array(26).fill(INVITED) }),
      'targets must have 1 to 25 items',
    ],
    [
      'a short ring',
      (calls: GraphCalls) => calls.redirect(APP, { targets: [INVITED], timeoutSeconds: 14 }),
      'timeout must be 15 to 90, got 14',
    ],
    [
      'six invited',
      (calls: GraphCalls) =>
        calls.inviteParticipants(APP, { participants: Array(6).fill(INVITED) }),
      'participants must have 1 to 5 items',
    ],
    [
      'a long context',
      (calls: GraphCalls) => calls.mute(APP, { clientContext: 'x'.repeat(257) }),
      'clientContext must have at most 256 characters',
    ],
    [
      'a group of one to two',
      (calls: GraphCalls) =>
        calls.createAudioRoutingGroup(APP, {
          routingMode: 'oneToOne',
          sources: ['a'],
          receivers: ['b', 'c'],
        }),
      'receivers must be one with the mode oneToOne',
    ],
    [
      'a call without a blob',
      (calls: GraphCalls) =>
        calls.create({
          target: { kind: 'token', token: 't' },
          tenantId: 't-1',
          callbackUri: 'http://calls.example/k',
          media: { kind: 'appHosted', blob: '' },
          scenarioId: 's',
        }),
      'Cannot join the meeting: callbackUri must be an https address, got a text of 22 characters, and 1 more',
    ],
  ])('%s', async (_name, ask, message) => {
    const error = await failure(ask(stand.client()));
    expect([error.code, error.mayHaveHappened]).toEqual(['graph_request_invalid', false]);
    expect(error.message).toContain(message);
    expect(stand.seen).toEqual([]);
  });
});
