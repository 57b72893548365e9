import process from 'node:process';
import { parseQuickOptions } from '../quick-options.js';
import { formatTable } from '../table.js';
import { BenchDeployment } from './bench-deployment.js';
import type { CallbackFigures } from './measure-callbacks.js';
import { measureCallbacks } from './measure-callbacks.js';
import type { JoinFigures } from './measure-joins.js';
import { measureJoins } from './measure-joins.js';
import type { RosterFigures } from './measure-roster.js';
import { measureRoster } from './measure-roster.js';
import type { SignalingResult } from './signaling-result.js';
import { signalingToJson } from './signaling-result.js';

/** `npm run bench -- signaling …`: a table, then one line of JSON (`SignalingResult`) on stdout. */
export async function runSignalingBench(args: readonly string[]): Promise<void> {
  const { json, quick } = parseQuickOptions('signaling', args);
  const roster = measureRoster(quick);
  const deployment = await BenchDeployment.start();
  try {
    const joins = await measureJoins(deployment, quick);
    const callbacks = await measureCallbacks(deployment, quick);
    if (!json) process.stdout.write(`${format(callbacks, joins, roster)}\n`);
    const result: SignalingResult = {
      callbacksPerSecondPerCore: callbacks.perSecondPerCore,
      ackP99Ms: callbacks.p99Ms,
      joinsPerMinute: joins.perMinute,
      rosterUpdateMsFor1000Participants: roster.p50Ms,
    };
    process.stdout.write(`${signalingToJson(result)}\n`);
  } finally {
    await deployment.close();
  }
}

function format(callbacks: CallbackFigures, joins: JoinFigures, roster: RosterFigures): string {
  return formatTable([
    ['callbacks/s a core', callbacks.perSecondPerCore.toFixed(0)],
    ['µs of CPU a callback', callbacks.cpuMicros.toFixed(0)],
    ['callbacks/s by the clock', callbacks.perSecondByClock.toFixed(0)],
    ['at 500 callbacks/s: p50, ms', callbacks.p50Ms.toFixed(1)],
    ['at 500 callbacks/s: p99, ms', callbacks.p99Ms.toFixed(1)],
    ['at 500 callbacks/s: longest, ms', callbacks.maxMs.toFixed(1)],
    ['joins a minute', joins.perMinute.toFixed(0)],
    ['join: p50, ms', joins.p50Ms.toFixed(1)],
    ['join: p99, ms', joins.p99Ms.toFixed(1)],
    ['join to end: ms of CPU', joins.cpuMs.toFixed(2)],
    ['roster of 1000: p50, ms', roster.p50Ms.toFixed(2)],
    ['roster of 1000: p99, ms', roster.p99Ms.toFixed(2)],
    ['roster of 1000: fold alone, ms', roster.foldP50Ms.toFixed(2)],
    ['roster of 1000: JSON before it, ms', roster.jsonP50Ms.toFixed(2)],
  ]);
}
