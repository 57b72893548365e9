import type { EngineFigures } from './engines/measure-engines.js';
import { COLUMN_NAMES } from './engines/measure-speed.js';
import type { PipelineFigures } from './pipeline/measure-pipeline.js';
import type { Quartiles } from './quartiles.js';
import { formatTable } from './table.js';

/** The engines side by side, for people. */
export function formatEngines(figures: readonly EngineFigures[], controlVersion: string): string {
  const [first] = figures;
  if (first === undefined) return '';
  const names = ['', ...figures.map(({ name }) => name), 'C, µs'];
  const ratios = COLUMN_NAMES.map((column) => [
    column,
    ...figures.map(({ speed }) => formatRatio(speed[column].ratio)),
    first.speed[column].controlMicros.toFixed(1),
  ]);
  const others = [
    row('allocBytesPerFrame', figures, ({ result }) => result.allocBytesPerFrame.toFixed(1)),
    row('gcEventsPer100kFrames', figures, ({ result }) => result.gcEventsPer100kFrames.toFixed(1)),
    row('kibPerDecoder', figures, ({ result }) => result.kibPerDecoder.toFixed(1)),
    row('createMicros', figures, ({ result }) => result.createMicros.toFixed(1)),
    row('wrongFrames', figures, ({ result }) => String(result.wrongFrames)),
    row('', figures, ({ version }) => version),
  ];
  const title = `CPU time over C (${controlVersion}), median and middle half; C itself, µs a frame`;
  return `${title}\n\n${formatTable([names, ...ratios, ...others])}`;
}

/** The load steps of the whole worker on one core, and the sum, for people. */
export function formatPipeline({ steps, scaling, result }: PipelineFigures): string {
  const head = ['streams', 'held', 'p50', 'p99, ms', 'tones', 'arrival p99', 'dropped'];
  const lines = steps.map((step) => [
    String(step.streams),
    step.held ? 'yes' : 'no',
    step.p50FrameToFindingMs.toFixed(1),
    step.p99FrameToFindingMs.toFixed(1),
    String(step.tones),
    step.arrivalToFoundP99Ms.toFixed(1),
    String(step.dropped),
    step.ioMicros.toFixed(1),
    step.processMicros.toFixed(1),
    `${(step.ownShare * 100).toFixed(0)} %`,
    `${(step.othersShare * 100).toFixed(0)} %`,
  ]);
  const costs = ['I/O, µs/frame', 'process, µs/frame', 'own CPU', 'others'];
  const { io, decode, analysis } = result.cpuMicrosPerFrame;
  const sum = [
    ['streams per core', String(result.streamsPerCore)],
    ['p99 frame to finding, ms', result.p99FrameToFindingMs.toFixed(1)],
    ['µs a frame: I/O', io.toFixed(1)],
    ['µs a frame: decode', decode.toFixed(1)],
    ['µs a frame: analysis', analysis.toFixed(1)],
    ['two decode threads over one, by the clock', scaling?.byClock.toFixed(2) ?? 'not measured'],
    ['two decode threads over one, by CPU time', scaling?.byCpuTime.toFixed(2) ?? 'not measured'],
  ];
  return `The worker on one core\n\n${formatTable([[...head, ...costs], ...lines])}\n${formatTable(sum)}`;
}

function row(
  name: string,
  figures: readonly EngineFigures[],
  cell: (engine: EngineFigures) => string,
): string[] {
  return [name, ...figures.map(cell)];
}

function formatRatio({ low, median, high }: Quartiles): string {
  return `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}
