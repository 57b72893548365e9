import process from 'node:process';
import { CALL_TONE_KINDS } from '@earshot/call-tones';
import { parseQuickOptions } from '../quick-options.js';
import { formatTable } from '../table.js';
import { measureTones } from './measure-tones.js';
import type { FalseTones, TonesResult } from './tones-result.js';

/** `npm run bench -- tones …`: tables, then one line of JSON (`TonesResult`) on stdout. */
export async function runTonesBench(args: readonly string[]): Promise<void> {
  const { json, quick } = parseQuickOptions('tones', args);
  const result = await measureTones(quick);
  if (!json) process.stdout.write(`${formatTones(result)}\n`);
  process.stdout.write(`${tonesToJson(result)}\n`);
}

/** The JSON of a result: numbers as long as they mean something. */
export function tonesToJson(result: TonesResult): string {
  return JSON.stringify(result, (_, value) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value,
  );
}

function formatTones(result: TonesResult): string {
  const paths = [result.plain, result.opus24, result.opus24Loss5, result.pcmLoss5];
  const table = formatTable([
    ['', 'cells', 'Opus 24k', 'Opus, 5 % lost', 'PCM, 5 % lost', 'told after p50/p99, ms'],
    ...CALL_TONE_KINDS.map((kind) => {
      const latency = result.latencyMs[kind];
      return [
        kind,
        ...paths.map(({ byKind }) => byKind[kind]?.join('/') ?? '–'),
        latency === undefined ? '–' : `${latency.p50.toFixed(0)}/${latency.p99.toFixed(0)}`,
      ];
    }),
    ['accepted, %', ...paths.map(({ acceptedPercent }) => acceptedPercent.toFixed(2))],
    ['extra', ...paths.map(({ extra }) => String(extra))],
  ]);
  const { speech, tone, silence } = result.micros;
  return [
    table,
    `told of speech: ${formatFalse(result.speech)}`,
    `told of speech, 5 % lost: ${formatFalse(result.speechLoss5)}`,
    `told of music: ${formatFalse(result.music)}`,
    `told of digits: ${formatFalse(result.digits)}`,
    `µs of CPU for 20 ms: speech ${speech?.toFixed(2) ?? 'not measured'}, tone ${tone?.toFixed(2)}, silence ${silence?.toFixed(2)}`,
    result.missedTargets.length === 0
      ? 'all targets are met'
      : `TARGETS MISSED: ${result.missedTargets.join('; ')}`,
    ...(result.missing.length === 0 ? [] : [`not to be had: ${result.missing.join(', ')}`]),
    '',
  ].join('\n');
}

function formatFalse({ hours, told }: FalseTones): string {
  const kinds = Object.entries(told).map(([kind, count]) => `${count} ${kind}`);
  return `${kinds.join(', ') || 'nothing'} in ${hours.toFixed(1)} h`;
}
