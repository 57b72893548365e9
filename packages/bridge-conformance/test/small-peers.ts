import { systemClock } from '@earshot/async/system';
import type { RuleResult } from '../src/index.js';
import { checkHost, checkWorker, HOST_RULES, keyedCalls } from '../src/index.js';
import type { HostDefect } from './small-host.js';
import { SmallHost } from './small-host.js';
import { PENDING_LIMIT, SmallWorker } from './small-worker.js';
import type { WorkerDefect } from './small-worker-link.js';

const KEY = 'the-host-key';
/** Takes its 8 s in every run, and no defect here is about it. */
const SLOW_RULES: ReadonlySet<string> = new Set(['O-8.late']);

const SENDING = /^(?:W-|O-9|J-1\.media|H-3$)/;

/** The whole suite on a small worker. */
export async function resultsOfWorker(defect?: WorkerDefect): Promise<RuleResult[]> {
  const worker = new SmallWorker(defect);
  await worker.start();
  try {
    const { url, tokenKey } = worker;
    const calls = keyedCalls({ tokenKey, clock: systemClock });
    return await checkWorker({
      url,
      calls,
      tokenKey,
      clock: systemClock,
      concurrency: 12,
      pendingLimit: PENDING_LIMIT,
      replyMs: 1500,
      quietMs: 200,
    });
  } finally {
    await worker.close();
  }
}

/** The whole suite but for its slowest check on a small host. */
export function resultsOfHost(defect?: HostDefect): Promise<RuleResult[]> {
  const ids = HOST_RULES.map(({ id }) => id).filter((id) => !SLOW_RULES.has(id));
  return resultsOfHostChecks(ids, defect);
}

/** As `resultsOfHost`, but for the checks of links on which both sides agreed on the way back. */
export function resultsOfHearingHost(defect: HostDefect): Promise<RuleResult[]> {
  const ids = HOST_RULES.map(({ id }) => id).filter((id) => !SLOW_RULES.has(id));
  const isHeard = (id: string): boolean => !id.startsWith('W-') || /^W-[34]$/.test(id);
  return resultsOfHostChecks(ids.filter(isHeard), defect);
}

/** The checks of what goes over media links when both sides agreed on the way back. */
export function resultsOfSendingHost(defect: HostDefect): Promise<RuleResult[]> {
  const ids = HOST_RULES.map(({ id }) => id).filter((id) => SENDING.test(id));
  return resultsOfHostChecks(ids, defect);
}

async function resultsOfHostChecks(
  only: readonly string[],
  defect: HostDefect | undefined,
): Promise<RuleResult[]> {
  const host = new SmallHost(defect);
  try {
    return await checkHost({
      listen: { host: '127.0.0.1', port: 0 },
      key: KEY,
      clock: systemClock,
      only,
      // Sessions of one name can't be told apart.
      sessions: defect === 'sameMediaIdForAll' ? 1 : 8,
      // Generous where something must come: the machine may be busy.
      replyMs: 3000,
      quietMs: 150,
      redialMs: 3000,
      noDialMs: 400,
      audioMs: 3000,
      onListening: (url) => host.start(url, KEY),
      restart: async () => host.restart(),
    });
  } finally {
    host.close();
  }
}

/** Runs `run` for each item, some at a time, and gives the results by item. */
export async function forEach<Item, Result>(
  items: readonly Item[],
  lanes: number,
  run: (item: Item) => Promise<Result>,
): Promise<Map<Item, Result>> {
  const results = new Map<Item, Result>();
  const waiting = [...items];
  const lane = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      results.set(item, await run(item));
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

/** The ids of the checks that failed. */
export function failed(results: readonly RuleResult[] | undefined): string[] {
  return (results ?? []).filter(({ outcome }) => outcome === 'fail').map(({ id }) => id);
}

/** What did not pass, with the reason, so that a failing test says it. */
export function notPassed(results: readonly RuleResult[]): RuleResult[] {
  return results.filter(({ outcome }) => outcome !== 'pass');
}
