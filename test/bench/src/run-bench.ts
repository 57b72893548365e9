import process from 'node:process';
import { createOpusEngine, DEFAULT_OPUS_ENGINE } from '@earshot/opus';
import type { BridgeBenchOptions, DecodeBenchOptions } from './bench-options.js';
import { parseBenchOptions } from './bench-options.js';
import { toJson } from './bench-result.js';
import { formatBridge } from './bridge/bridge-report.js';
import { toBridgeResult } from './bridge/bridge-result.js';
import { measureBridge } from './bridge/measure-bridge.js';
import { buildControl } from './control/build-control.js';
import { loadControl } from './control/control.js';
import { makeCorpora } from './corpora/make-corpora.js';
import { runDtmfBench } from './dtmf/run-dtmf-bench.js';
import { loadEngines, measureEngines } from './engines/measure-engines.js';
import { runEventsBench } from './events/run-events-bench.js';
import { runPhrasesBench } from './phrases/run-phrases-bench.js';
import { measurePipeline } from './pipeline/measure-pipeline.js';
import { say } from './progress.js';
import { formatEngines, formatPipeline } from './report.js';
import { runSignalingBench } from './signaling/run-signaling-bench.js';
import { runTonesBench } from './tones/run-tones-bench.js';
import { runVadBench } from './vad/run-vad-bench.js';

/**
 * `npm run bench -- …`: tables, then one line of JSON (`BenchResult`, `BridgeResult`, `DtmfResult`, `EventsResult`,
 * `PhrasesResult`, `SignalingResult`, `TonesResult`, `VadResult`) on stdout.
 *
 * @throws CodedError `invalid_bench_options`, `bench_needs_libopus`, `control_build_failed`,
 * `opus_engine_unavailable`, `bench_disturbed`
 */
export async function runBench(args: readonly string[]): Promise<void> {
  if (args[0] === 'dtmf') return runDtmfBench(args.slice(1));
  if (args[0] === 'events') return runEventsBench(args.slice(1));
  if (args[0] === 'phrases') return runPhrasesBench(args.slice(1));
  if (args[0] === 'signaling') return runSignalingBench(args.slice(1));
  if (args[0] === 'tones') return runTonesBench(args.slice(1));
  if (args[0] === 'vad') return runVadBench(args.slice(1));
  const options = parseBenchOptions(args);
  const print = options.json ? () => {} : (text: string) => process.stdout.write(`${text}\n`);
  const json = await (options.subject === 'decode'
    ? runDecode(options, print)
    : runBridge(options, print));
  process.stdout.write(`${json}\n`);
}

type Print = (text: string) => void;

async function runBridge({ quick }: BridgeBenchOptions, print: Print): Promise<string> {
  const figures = await measureBridge({ quick });
  print(formatBridge(figures));
  return toJson(toBridgeResult(figures));
}

async function runDecode(options: DecodeBenchOptions, print: Print): Promise<string> {
  const file = buildControl();
  const control = loadControl(file);
  const engines = await loadEngines(options.engines);
  say('making the corpora');
  const corpora = await makeCorpora(await createOpusEngine({ engine: 'wasm' }), control);
  const figures = await measureEngines({ engines, control: file, corpora, quick: options.quick });
  print(formatEngines(figures, control.version()));
  const pipeline = options.pipeline ? await measurePipeline(file) : undefined;
  if (pipeline !== undefined) print(formatPipeline(pipeline));
  return toJson({
    engines: Object.fromEntries(figures.map(({ name, result }) => [name, result])),
    default: DEFAULT_OPUS_ENGINE,
    pipeline: pipeline?.result ?? null,
  });
}
