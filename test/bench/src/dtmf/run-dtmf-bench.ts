import process from 'node:process';
import { parseQuickOptions } from '../quick-options.js';
import { formatTable } from '../table.js';
import type { DetectorResult, DtmfResult, LossResult, TalkOff } from './dtmf-result.js';
import { measureDtmf } from './measure-dtmf.js';

/** `npm run bench -- dtmf …`: a table, then one line of JSON (`DtmfResult`) on stdout. */
export async function runDtmfBench(args: readonly string[]): Promise<void> {
  const { json, quick } = parseQuickOptions('dtmf', args);
  const result = await measureDtmf(quick);
  if (!json) process.stdout.write(`${formatDtmf(result)}\n`);
  process.stdout.write(`${dtmfToJson(result)}\n`);
}

/** The JSON of a result: numbers as long as they mean something. */
export function dtmfToJson(result: DtmfResult): string {
  return JSON.stringify(result, (_, value) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value,
  );
}

function formatDtmf(result: DtmfResult): string {
  const entries = Object.entries(result.detectors);
  const row = (name: string, cell: (one: DetectorResult) => string): string[] => [
    name,
    ...entries.map(([, one]) => cell(one)),
  ];
  const table = formatTable([
    ['', ...entries.map(([name]) => name)],
    row('accepted, %', (one) => one.acceptedPercent.toFixed(2)),
    row('extra digits', (one) => String(one.extra)),
    row('false accepts', (one) => String(one.falseAccepts)),
    row('other-tone hits', (one) => String(one.otherToneHits)),
    row('latency from the end p50, ms', (one) => one.latencyP50Ms?.toFixed(0) ?? '–'),
    row('latency from the end p99, ms', (one) => one.latencyP99Ms?.toFixed(0) ?? '–'),
    row('reports', (one) => one.reports),
    row('Opus 24k: accepted, %', ({ opus24 }) => opus24.acceptedPercent.toFixed(2)),
    row('Opus 24k: extra digits', ({ opus24 }) => String(opus24.extra)),
    row('Opus 24k: false accepts', ({ opus24 }) => String(opus24.falseAccepts)),
    row('Opus 24k: other-tone hits', ({ opus24 }) => String(opus24.otherToneHits)),
    row('Opus, 5 % lost: accepted, %', ({ opus24Loss5 }) => opus24Loss5.acceptedPercent.toFixed(2)),
    row('Opus, 5 % lost: extra digits', ({ opus24Loss5 }) => String(opus24Loss5.extra)),
    row('… with FEC: accepted, %', ({ opus24FecLoss5 }) => formatShare(opus24FecLoss5)),
    row('… with FEC: extra digits', ({ opus24FecLoss5 }) => String(opus24FecLoss5?.extra ?? '–')),
    row('Opus with FEC, none lost: accepted, %', ({ opus24Fec }) => formatShare(opus24Fec)),
    row('Opus with FEC, none lost: extra digits', ({ opus24Fec }) =>
      String(opus24Fec?.extra ?? '–'),
    ),
    row('PCM, 5 % lost: accepted, %', ({ pcmLoss5 }) => formatShare(pcmLoss5)),
    row('PCM, 5 % lost: extra digits', ({ pcmLoss5 }) => String(pcmLoss5?.extra ?? '–')),
    row('ceiling: digits with at least 15 ms received, %', ({ receivedPercent }) =>
      receivedPercent === undefined ? '–' : receivedPercent.toFixed(2),
    ),
    row('talk-off, hits in hours of speech', ({ speech }) => formatTalkOff(speech)),
    row('… PCM, 5 % lost', ({ speechPcmLoss5 }) => formatTalkOff(speechPcmLoss5)),
    row('… Opus, 5 % lost', ({ speechOpusLoss5 }) => formatTalkOff(speechOpusLoss5)),
    row('hits in hours of music', ({ music }) => formatTalkOff(music)),
  ]);
  return `${table}${notes(result)}`;
}

function notes({ missedTargets, missing, speechMicrosPerFrame }: DtmfResult): string {
  return [
    `µs of CPU for 20 ms of speech: ${speechMicrosPerFrame?.toFixed(2) ?? 'not measured'}`,
    missedTargets.length === 0
      ? 'all targets are met'
      : `TARGETS MISSED: ${missedTargets.join('; ')}`,
    ...(missing.length === 0 ? [] : [`not to be had: ${missing.join(', ')}`]),
    '',
  ].join('\n');
}

function formatShare(loss: LossResult | undefined): string {
  return loss?.acceptedPercent.toFixed(2) ?? '–';
}

function formatTalkOff(talkOff: TalkOff | undefined): string {
  if (talkOff === undefined || talkOff.hours === 0) return '–';
  return `${talkOff.hits} in ${talkOff.hours.toFixed(1)}`;
}
