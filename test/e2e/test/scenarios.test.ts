import { fileURLToPath } from 'node:url';
import { CloseStack } from '@earshot/async';
import type { Sandbox, Scenario } from '@earshot/sandbox';
import { checkScenario, readScenario } from '@earshot/sandbox';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Bot } from './scenario-stack.js';
import { startBot, startScenarioSandbox } from './scenario-stack.js';

const FOLDER = fileURLToPath(new URL('../../../services/sandbox/scenarios/', import.meta.url));
/** Outcomes are waited for, never slept for. */
const WAIT = { timeout: 120_000, interval: 20 };

const closers = new CloseStack();
let sandbox: Sandbox;
let bot: Bot;
let joinUrl: string;
const joined: string[] = [];

beforeAll(async () => {
  sandbox = await startScenarioSandbox(closers);
  bot = await startBot(sandbox);
  closers.defer(() => bot.close());
  const participants = [{ key: 'ada', displayName: 'Ada' }];
  ({ joinUrl } = await sandbox.addMeeting({ name: 'long', durationMs: 600_000, participants }));
});

afterEach(async () => {
  sandbox.scenarios.clear();
  for (const id of joined.splice(0)) await bot.ask('DELETE', `/v1/calls/${id}`);
});
afterAll(() => closers.close());

/** How often Graph was asked for a call that the rule is about. */
async function play(scenario: string | object): Promise<() => number> {
  const { name } = sandbox.scenarios.add(
    typeof scenario === 'string' ? await bundled(scenario) : checkScenario(scenario),
  );
  return () =>
    sandbox.scenarios.summaries().find((one) => one.name === name)?.rules[0]?.matched ?? 0;
}

function bundled(name: string): Promise<Scenario> {
  return readScenario(`${FOLDER}${name}.yaml`);
}

async function join(): Promise<string> {
  const { status, body } = await bot.join(joinUrl);
  expect([status, body['code']]).toEqual([201, undefined]);
  const id = String(body['id']);
  joined.push(id);
  return id;
}

async function hangUp(id: string): Promise<void> {
  await bot.ask('DELETE', `/v1/calls/${id}`);
  expect((await bot.ended(id)).result.cause).toBe('hung_up');
  await untilNobodyIsThere();
}

async function established(id: string): Promise<Readonly<Record<string, unknown>>> {
  return vi.waitUntil(async () => {
    const { body } = await bot.ask('GET', `/v1/calls/${id}`);
    return body['state'] === 'established' && body;
  }, WAIT);
}

/** No leg of the bot is left in any meeting. */
async function untilNobodyIsThere(): Promise<void> {
  await vi.waitUntil(async () => (await metric('calls')) === 0, WAIT);
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${sandbox.ready.url}/metrics`)).text();
  const value = new RegExp(`^earshot_sandbox_${name}(?:\\{[^}]*\\})? (\\d+)`, 'm').exec(text)?.[1];
  return Number(value);
}

describe('signaling in the scenario', () => {
  it('rough-callbacks sees the call and its roster as they are, and takes no forgery', async () => {
    const rough = await bundled('rough-callbacks');
    // Somebody comes later: what got lost of the full roster before is made good by that.
    const steps = [{ atMs: 500, join: { key: 'eve', displayName: 'Eve' } }];
    await play({ ...rough, rules: rough.rules.map((rule) => ({ ...rule, steps })) });
    const id = await join();
    await established(id);
    await vi.waitUntil(async () => {
      const { body } = await bot.ask('GET', `/v1/calls/${id}`);
      return (body['participants'] as unknown[]).length === 3;
    }, WAIT);
    await vi.waitUntil(async () => (await metric('forgeries_refused_total')) === 3, WAIT);
    expect(await metric('forgeries_taken_total')).toBe(0);
    await hangUp(id);
  });

  it('answer-lost leaves no bot behind of which nobody knows', async () => {
    const creations = await play('answer-lost');
    const { status, body } = await bot.join(joinUrl);
    expect([status, body['code']]).toEqual([502, 'graph_unreachable']);
    await untilNobodyIsThere();
    expect(creations()).toBe(1);
  });

  it('callback-first keeps the call', async () => {
    await play('callback-first');
    const id = await join();
    await established(id);
    await hangUp(id);
  });

  it('media-path-broken is in the meeting after all, by another host', async () => {
    const creations = await play('media-path-broken');
    const asked = bot.allocated.length;
    const id = await join();
    await vi.waitUntil(() => creations() === 2, WAIT);
    await established(id);
    expect(bot.allocated.slice(asked)).toEqual([id, id]);
    await hangUp(id);
  });

  it('of a removal from the lobby tells the reason, and does not ask again', async () => {
    const creations = await play({ name: 'out', rules: [{ lobby: { removeAfterMs: 50 } }] });
    const id = await join();
    const { result } = await bot.ended(id);
    expect(result).toMatchObject({ retryClass: 'never', resultSubcode: 5855 });
    expect(creations()).toBe(1);
  });

  it('of a call that Graph forgot without a word ends it', async () => {
    const gone = { status: 404, subcode: 8522 };
    await play({
      name: 'forgotten',
      rules: [{ methods: [{ method: 'delete', refuse: gone }] }],
    });
    const id = await join();
    await established(id);
    await bot.ask('DELETE', `/v1/calls/${id}`);
    expect((await bot.ended(id)).result.cause).toBe('hung_up');
  });
});
