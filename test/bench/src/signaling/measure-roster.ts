import type { CallModel } from '@earshot/call';
import { initialCallModel, parseNotifications, reduceCall } from '@earshot/call';
import { monotonicMs } from '../pipeline/monotonic.js';
import { say } from '../progress.js';
import { quantile } from '../quartiles.js';
import { rosterBody } from './bench-notifications.js';

export interface RosterFigures {
  /** Reading and folding. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of that, folding. */
  readonly foldP50Ms: number;
  /** Before it: text to JSON's value. */
  readonly jsonP50Ms: number;
}

const PARTICIPANTS = 1_000;
const GRAPH_CALL = '57dab8b1-894c-409a-b240-bd8beae78896';
const WARM_UP = 50;

/** Full rosters of 1000, in each of which one participant is muted and another no more. */
export function measureRoster(quick: boolean): RosterFigures {
  say(`signaling: rosters of ${PARTICIPANTS}`);
  const jsonMs: number[] = [];
  const readMs: number[] = [];
  const foldMs: number[] = [];
  let model: CallModel = initialCallModel;
  for (let i = 0; i < WARM_UP + (quick ? 100 : 500); i += 1) {
    const roster = { muted: i % PARTICIPANTS, sequence: i + 2 };
    const text = rosterBody(GRAPH_CALL, PARTICIPANTS, roster);
    const beganMs = monotonicMs();
    const value: unknown = JSON.parse(text);
    const parsedMs = monotonicMs();
    const notifications = parseNotifications(value);
    const readAtMs = monotonicMs();
    if (!notifications.ok) throw new Error('A roster must be read');
    for (const item of notifications.items) model = reduceCall(model, item).model;
    if (i < WARM_UP) continue;
    jsonMs.push(parsedMs - beganMs);
    readMs.push(readAtMs - parsedMs);
    foldMs.push(monotonicMs() - readAtMs);
  }
  const updateMs = readMs.map((ms, i) => ms + (foldMs[i] ?? 0));
  return {
    p50Ms: quantile(updateMs, 0.5),
    p99Ms: quantile(updateMs, 0.99),
    foldP50Ms: quantile(foldMs, 0.5),
    jsonP50Ms: quantile(jsonMs, 0.5),
  };
}
