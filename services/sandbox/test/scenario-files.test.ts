import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { VirtualClock } from '@earshot/async';
import { checkType, faultText } from '@earshot/graph-metadata';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkScenario, readScenario } from '../src/scenario/parse-scenario.js';
import { GraphClient, phoneTarget, userTarget } from './graph-client.js';
import type { Stage } from './test-stage.js';
import { openStage } from './test-stage.js';

const FOLDER = fileURLToPath(new URL('../scenarios/', import.meta.url));
const ONE_HOUR_MS = 3_600_000;
const SET_UP_MS = 130;

let stage: Stage;
let graph: GraphClient;
let key = '';
let calls = 0;
/** Stands still but where a test moves it. */
const clock = new VirtualClock(Date.now());
const played = new Set<string>();

beforeAll(async () => {
  stage = await openStage({ clock });
  graph = await GraphClient.open(stage);
  const participants = [{ key: 'ada', displayName: 'Ada' }];
  await stage.sandbox.addMeeting({ name: 'long', durationMs: ONE_HOUR_MS, participants });
});

afterEach(() => stage.sandbox.scenarios.clear());

afterAll(async () => {
  const faults = stage.bot.bodies.flatMap((body) =>
    checkType('commsNotifications', body, { from: 'service' }).map(faultText),
  );
  await stage.close();
  expect(faults).toEqual([]);
  const bundled = (await readdir(FOLDER)).map((file) => file.replace(/\.yaml$/, ''));
  expect([...played].sort()).toEqual(bundled.sort());
});

async function load(name: string): Promise<void> {
  stage.sandbox.scenarios.add(await readScenario(`${FOLDER}${name}.yaml`));
  played.add(name);
}

/** Creates a call under a key of its own: its path, or the refusal. */
async function create(body: object = graph.meeting('long')): Promise<string> {
  calls += 1;
  key = `call-${calls}`;
  const answer = await graph.create(key, body);
  const error = answer.body['error'] as { code: string } | undefined;
  return error === undefined ? `/${answer.body['id']}` : `${answer.status}/${error.code}`;
}

/** Lets time pass in small steps, in which callbacks are delivered. */
async function pass(durationMs: number, stepMs = 100): Promise<void> {
  for (let passedMs = 0; passedMs < durationMs; passedMs += stepMs) {
    clock.advance(stepMs);
    await graph.send('GET', '/v1.0/communications/calls/none');
  }
}

/** Lets time pass until something is so, for ten minutes of the sandbox's time at most. */
async function until(isSo: () => boolean, stepMs = 100): Promise<void> {
  const deadlineMs = clock.nowMs() + 600_000;
  while (!isSo() && clock.nowMs() < deadlineMs) await pass(stepMs, stepMs);
  expect(isSo()).toBe(true);
}

/** As long as a call takes to be set up, and no longer, however late the bot is told. */
async function established(its = key): Promise<void> {
  clock.advance(SET_UP_MS);
  await stage.bot.untilState(its, 'established');
}

async function endOf(its = key): Promise<unknown> {
  await until(() => stage.bot.states(its).includes('terminated'));
  const { data } = await stage.bot.untilState(its, 'terminated');
  return Array.isArray(data) ? undefined : data.resultInfo;
}

describe('a bundled scenario', () => {
  it('consent-missing refuses', async () => {
    await load('consent-missing');
    expect(await create()).toBe('403/7504');
  });

  it('throttled-once refuses the first call, and says how long to wait', async () => {
    await load('throttled-once');
    const first = await graph.create('throttled', graph.meeting('long'));
    expect([first.status, first.headers.get('retry-after')]).toEqual([429, '2']);
    expect(await create()).toMatch(/^\//);
  });

  it('month-is-over refuses all', async () => {
    await load('month-is-over');
    expect(await create()).toBe('403/8529');
    stage.sandbox.scenarios.clear();
    expect(await create()).toMatch(/^\//);
  });

  it('media-path-broken ends the first call, not the second', async () => {
    await load('media-path-broken');
    await create();
    expect(await endOf()).toMatchObject({ code: 500, subcode: 7112 });
    expect(stage.bot.states(key)).toEqual(['establishing', 'terminated']);
    await create();
    await established();
  });

  it('never-established says nothing more', async () => {
    await load('never-established');
    const path = await create();
    await until(() => stage.bot.states(key).length > 0);
    await pass(120_000, 10_000);
    expect(stage.bot.states(key)).toEqual(['establishing']);
    expect((await graph.send('GET', path)).body).toMatchObject({ state: 'establishing' });
  });

  it('answer-lost makes the call though its answer never comes', async () => {
    await load('answer-lost');
    await expect(create()).rejects.toThrow();
    const lost = key;
    await established(lost);
    expect(await create()).toMatch(/^\//);
  });

  it('callback-first tells of the call before the answer', async () => {
    await load('callback-first');
    const creating = create();
    await until(() => stage.bot.of(key).length > 0, 20);
    expect(stage.bot.states(key)).toEqual(['establishing']);
    let answer = '';
    const answered = creating.then((path) => {
      answer = path;
    });
    await pass(500);
    expect(answer).toBe('');
    await until(() => answer !== '');
    await answered;
    expect(answer).toMatch(/^\//);
  });

  it('lobby lets the bot in, and has it removed', async () => {
    await load('lobby');
    await create();
    await established();
    await until(() => stage.bot.rosters(key).length >= 3);
    expect(stage.bot.rosters(key)).toMatchObject([
      [{ isInLobby: true, mediaStreams: [] }],
      [{ isInLobby: false }],
      [{ isInLobby: false }, {}],
    ]);
    expect(await endOf()).toMatchObject({ code: 200, subcode: 5000 });
  });

  it('not-admitted removes the bot from the lobby', async () => {
    await load('not-admitted');
    await create();
    expect(await endOf()).toMatchObject({ code: 200, subcode: 5855 });
  });

  it('people-come-and-go shows it in the roster', async () => {
    await load('people-come-and-go');
    await create();
    const names = (): string[][] =>
      stage.bot.rosters(key).map((roster) =>
        roster.map(({ info: { identity }, isMuted }) => {
          const [name] = Object.values(identity).flatMap((facet) =>
            typeof facet === 'object' ? [facet.displayName ?? ''] : [],
          );
          return `${isMuted ? '-' : ''}${name?.replace(/ \(.*/, '')}`;
        }),
      );
    await until(() => names().length >= 8);
    expect(names()).toEqual([
      ['Earshot'],
      ['Earshot', 'Ada'],
      ['Earshot', 'Ada', 'Eve'],
      ['Earshot', 'Ada', 'Eve', 'A guest'],
      ['Earshot', 'Ada', '-Eve', 'A guest'],
      ['-Earshot', 'Ada', '-Eve', 'A guest'],
      ['Earshot', 'Ada', '-Eve', 'A guest'],
      ['Earshot', 'Ada', '-Eve'],
    ]);
  });

  it('rough-callbacks tells the end all the same, and forges in vain', async () => {
    await load('rough-callbacks');
    const counters = ['forgeries_refused', 'forgeries_taken', 'callbacks_lost'];
    const before = await Promise.all(counters.map(metric));
    const path = await create();
    // What is sent again is sent after a while.
    await until(() => stage.bot.states(key).includes('established'));
    for (const action of ['mute', 'unmute', 'mute', 'unmute', 'mute']) {
      await graph.send('POST', `${path}/${action}`, {});
      await pass(500);
    }
    await graph.send('DELETE', path);
    expect(await endOf()).toMatchObject({ subcode: 7000 });
    // Swapped with the one behind it: `establishing` came second.
    expect(stage.bot.states(key)[0]).toBe('established');
    const after = await Promise.all(counters.map(metric));
    expect(after.map((value, index) => value - (before[index] ?? 0))).toEqual([3, 0, 1]);
    expect(await metric('callbacks_retried')).toBeGreaterThan(0);
  });

  it('keep-alive-404 refuses the second keepAlive only', async () => {
    await load('keep-alive-404');
    const path = await create();
    expect((await graph.send('POST', `${path}/keepAlive`)).status).toBe(200);
    expect(await graph.refusal('POST', `${path}/keepAlive`)).toBe('404/8522');
    expect((await graph.send('POST', `${path}/keepAlive`)).status).toBe(200);
  });

  it('operations-fail has operations fail, at once or later', async () => {
    await load('operations-fail');
    const path = await create();
    await established();
    expect((await graph.send('POST', `${path}/mute`, {})).body).toMatchObject({
      status: 'failed',
      resultInfo: { code: 500, subcode: 9999 },
    });
    const participants = [userTarget('eve')];
    const { body } = await graph.send('POST', `${path}/participants/invite`, { participants });
    await pass(1_000);
    const { data } = await stage.bot.callbacks.first(({ resourceUrl }) =>
      resourceUrl.endsWith(String(body['id'])),
    );
    expect(data).toMatchObject({ status: 'failed', resultInfo: { subcode: 10_037 } });
    expect((await graph.send('GET', `${path}/participants`)).body['value']).toMatchObject([
      { isMuted: false },
      {},
    ]);
  });

  it('media-lost-mid-call ends the first call, not the second', async () => {
    await load('media-lost-mid-call');
    await create();
    const first = key;
    await create();
    expect(await endOf(first)).toMatchObject({ code: 410, subcode: 301_005 });
    await stage.bot.untilState(key, 'established');
    expect(stage.bot.states(key)).toEqual(['establishing', 'established']);
  });

  it('phone-does-not-answer rings in vain, and has users hang up', async () => {
    await load('phone-does-not-answer');
    const identity = {
      '@odata.type': '#microsoft.graph.identitySet',
      applicationInstance: { '@odata.type': '#microsoft.graph.identity', id: 'our-number' },
    };
    const source = { '@odata.type': '#microsoft.graph.participantInfo', identity };
    await create({ targets: [phoneTarget('+442079460000')], source });
    expect(await endOf()).toMatchObject({ code: 480, subcode: 10_004 });
    await create({ targets: [userTarget('ada')] });
    expect(await endOf()).toMatchObject({ code: 200, subcode: 4521 });
  });

  it('tones tells keys to the one who subscribed', async () => {
    await load('tones');
    const path = await create();
    await established();
    await graph.send('POST', `${path}/subscribeToTone`, {});
    const tones = (): unknown[] =>
      stage.bot.of(key).flatMap(({ data }) => ('toneInfo' in data ? [data.toneInfo] : []));
    await until(() => tones().length >= 3);
    expect(tones()).toMatchObject([
      { sequenceId: 1, tone: 'tone1' },
      { sequenceId: 2, tone: 'tone2' },
      { sequenceId: 3, tone: 'pound' },
    ]);
  });
});

describe('scenarios at run time', () => {
  it('are loaded as YAML or JSON, shown with their use, and taken out', async () => {
    const url = `${stage.sandbox.ready.url}/sandbox/scenarios`;
    const yaml = await stage.fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/yaml' },
      body: 'name: one\nrules:\n  - create: { refuse: { status: 503, retryAfterS: 7 } }\n',
    });
    expect(yaml.status).toBe(201);
    expect((await graph.send('POST', '/sandbox/scenarios', { name: 'two' })).status).toBe(201);
    expect(await create()).toBe('503/ServiceUnavailable');
    expect((await graph.send('GET', '/sandbox/scenarios')).body).toEqual({
      scenarios: [
        { name: 'one', seed: 1, rules: [{ matched: 1, used: 1 }] },
        { name: 'two', seed: 1, rules: [] },
      ],
    });
    expect((await graph.send('DELETE', '/sandbox/scenarios/one')).status).toBe(204);
    expect((await graph.send('DELETE', '/sandbox/scenarios/one')).status).toBe(404);
    expect(await create()).toMatch(/^\//);
    expect((await graph.send('DELETE', '/sandbox/scenarios')).status).toBe(204);
    expect((await graph.send('GET', '/sandbox/scenarios')).body).toEqual({ scenarios: [] });
  });

  it('are refused with the path of the fault', async () => {
    const answer = await graph.send('POST', '/sandbox/scenarios', {
      name: 'x',
      rules: [{ set: 1 }],
    });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      error: {
        code: 'invalid_scenario',
        message: expect.stringContaining('rules[0] has no such word: set'),
      },
    });
  });

  it('throttle requests and creations, with the time to wait', async () => {
    const limits = { requests: { count: 3, perMs: 5_000 } };
    stage.sandbox.scenarios.add(checkScenario({ name: 'rate', limits }));
    const codes = [];
    for (let request = 0; request < 4; request += 1) {
      codes.push((await graph.send('GET', '/none')).status);
    }
    expect(codes).toEqual([404, 404, 404, 429]);
    const throttled = await graph.send('GET', '/none');
    expect(throttled.headers.get('retry-after')).toBe('5');
    clock.advance(5_000);
    expect((await graph.send('GET', '/none')).status).toBe(404);
    stage.sandbox.scenarios.clear();
    const creations = { creations: { count: 1, perMs: 10_000 }, activeCalls: 1_000 };
    stage.sandbox.scenarios.add(checkScenario({ name: 'rate', limits: creations }));
    expect([await create(), await create()]).toEqual([expect.stringMatching(/^\//), '429/8516']);
  });
});

/** A counter of the sandbox. */
async function metric(name: string): Promise<number> {
  const text = await (await stage.fetch(`${stage.sandbox.ready.url}/metrics`)).text();
  const counter = new RegExp(`^earshot_sandbox_${name}_total(?:\\{[^}]*\\})? (\\d+)`, 'm');
  return Number(counter.exec(text)?.[1]);
}
