import { CloseStack } from '@earshot/async';
import type { ResultRow } from '@earshot/call';
import { RESULT_TABLE } from '@earshot/call';
import type { Sandbox } from '@earshot/sandbox';
import { checkScenario } from '@earshot/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bot } from './scenario-stack.js';
import { startBot, startScenarioSandbox } from './scenario-stack.js';

/** How many calls are made at once. */
const AT_ONCE = 8;
/** Beside subcodes for which no code is known. */
const SOME_CODE = 400;
/** Calls that last: those in a meeting end with such codes. */
const IN_CALL_CODES: ReadonlySet<number> = new Set([0, 200, 410]);
/** Graph's limits: they make signaling wait with all calls of the app. */
const LIMITS: ReadonlySet<string> = new Set(['8516', '8529', '8530', '429/0']);

const closers = new CloseStack();
let sandbox: Sandbox;
let bot: Bot;

beforeAll(async () => {
  sandbox = await startScenarioSandbox(closers);
  bot = await startBot(sandbox);
  closers.defer(() => bot.close());
});

afterAll(() => closers.close());

interface Result {
  readonly row: ResultRow;
  readonly code: number;
  readonly name: string;
}

const RESULTS: readonly Result[] = RESULT_TABLE.map((row) => {
  const name = row.code === undefined ? `${row.subcode}` : `${row.code}/${row.subcode}`;
  return { row, code: row.code ?? SOME_CODE, name };
});
const USUAL = RESULTS.filter(({ name }) => !LIMITS.has(name));
const OF_LIMITS = RESULTS.filter(({ name }) => LIMITS.has(name));

interface Setting {
  readonly joinUrl: string;
  /** How often Graph was asked for a call into the meeting. */
  creations(): number;
  close(): void;
}

/** A meeting into which all calls go as the rule says. */
async function meetingWith(title: string, rule: object): Promise<Setting> {
  const name = title.replace('/', '-');
  const { joinUrl } = await sandbox.addMeeting({ name, durationMs: 60_000, participants: [] });
  const { scenarios } = sandbox;
  scenarios.add(checkScenario({ name, rules: [{ match: { meeting: name }, ...rule }] }));
  return {
    joinUrl,
    creations: () => scenarios.summaries().find((one) => one.name === name)?.rules[0]?.matched ?? 0,
    close: () => void scenarios.remove(name),
  };
}

/** What the table says, as signaling shows it. */
function explained({ row, code }: Result): object {
  const sentence = row.subcode === 0 ? `${row.sentence.slice(0, -1)} (${code}).` : row.sentence;
  return {
    reason: sentence,
    retryClass: row.class,
    ...(row.fix === undefined ? {} : { fix: row.fix }),
    resultCode: code,
    resultSubcode: row.subcode,
  };
}

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Graph accepts the call, and ends it with this result. */
async function endWith(asker: Bot, each: Result): Promise<void> {
  const { row, code, name } = each;
  const result = { code, subcode: row.subcode };
  const setting = await meetingWith(
    `end-${name}`,
    IN_CALL_CODES.has(code)
      ? { setup: { takesMs: 0 }, steps: [{ atMs: 0, end: result }] }
      : { setup: { takesMs: 0, fail: result } },
  );
  const { status, body } = await asker.join(setting.joinUrl);
  expect([name, status]).toEqual([name, 201]);
  const { result: shown } = await asker.ended(String(body['id']));
  expect({ [name]: shown }).toEqual({
    [name]: { cause: 'ended_by_teams', kind: expect.any(String), ...explained(each) },
  });
  expect({ [name]: setting.creations() }).toEqual({ [name]: creationsBy(row) });
  setting.close();
}

/** Graph refuses the creation with this result. */
async function refuseWith(asker: Bot, each: Result): Promise<void> {
  const { row, code, name } = each;
  const subcode = row.subcode === 0 ? undefined : row.subcode;
  const refuse = { status: code, ...(subcode === undefined ? {} : { subcode }) };
  const setting = await meetingWith(`refuse-${name}`, { create: { refuse } });
  const { status, body } = await asker.join(setting.joinUrl);
  expect({ [name]: status }).toEqual({ [name]: expect.toSatisfy((one) => one >= 400) });
  if (row.fix !== undefined && !LIMITS.has(name)) {
    expect({ [name]: body['fix'] }).toEqual({ [name]: row.fix });
  }
  const { result } = await asker.ended(asker.allocated.at(-1) ?? '');
  expect({ [name]: result }).toMatchObject({ [name]: explained(each) });
  expect({ [name]: setting.creations() }).toEqual({ [name]: creationsBy(row) });
  setting.close();
}

/** How often Graph is asked for a call that goes so, by the class of its result. */
function creationsBy(row: ResultRow): number {
  return row.class === 'onceOnAnotherHost' ? 2 : 1;
}

/** With a status of HTTP by which a creation can be refused. */
function isRefusal({ row, code }: Result): boolean {
  return row.class !== 'normal' && code >= 400 && code < 600 && code !== 480 && code !== 486;
}

describe('each result that the table knows', () => {
  it('ends a call, is explained, and decides what follows', async () => {
    await inTurns(USUAL, (each) => endWith(bot, each));
    expect(USUAL.length).toBeGreaterThan(80);
  });

  it('refuses a call, is explained, and decides what follows', async () => {
    const refusals = USUAL.filter(isRefusal);
    for (const each of refusals) await refuseWith(bot, each);
    expect(refusals.length).toBeGreaterThan(50);
  });
});

describe("each of Graph's limits", () => {
  it.each(OF_LIMITS)('$name keeps signaling from asking again', async (each) => {
    for (const play of [endWith, refuseWith]) {
      const asker = await startBot(sandbox);
      try {
        await play(asker, each);
        await expectStopped(asker, each);
      } finally {
        await asker.close();
      }
    }
  });

  async function expectStopped(asker: Bot, { row }: Result): Promise<void> {
    await asker.stopped();
    const setting = await meetingWith('afterwards', {});
    const { status, headers, body } = await asker.join(setting.joinUrl);
    expect([status, setting.creations()]).toEqual([expect.toSatisfy(isRefused), 0]);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    if (row.class === 'stopForMonth') expect(body['code']).toBe('monthly_limit_reached');
    setting.close();
  }
});

function isRefused(status: unknown): boolean {
  return status === 429 || status === 503;
}
