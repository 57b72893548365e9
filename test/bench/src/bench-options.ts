import { parseArgs } from 'node:util';
import { CodedError } from '@earshot/async';
import type { OpusEngineName } from '@earshot/opus';
import { OPUS_ENGINES } from '@earshot/opus';

export type BenchOptions = DecodeBenchOptions | BridgeBenchOptions;

interface CommonOptions {
  /** Only the JSON line on stdout. */
  readonly json: boolean;
  /** Fewer slices: good for a look, not for a figure that is written down. */
  readonly quick: boolean;
}

export interface DecodeBenchOptions extends CommonOptions {
  readonly subject: 'decode';
  readonly pipeline: boolean;
  /** Engines that must be there; undefined: those that load. */
  readonly engines: readonly OpusEngineName[] | undefined;
}

export interface BridgeBenchOptions extends CommonOptions {
  readonly subject: 'bridge';
}

const USAGE =
  'npm run bench -- decode [--json] [--quick] [--no-pipeline] [--engines a,b], or bridge [--json] [--quick]';

/**
 * Reads what follows `npm run bench --`.
 *
 * @throws CodedError `invalid_bench_options`
 */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parse(args);
  const [subject] = positionals;
  if (positionals.length !== 1 || (subject !== 'decode' && subject !== 'bridge')) {
    throw invalid(
      `the subject must be decode, bridge, dtmf, events, phrases, signaling, tones or vad, got ${positionals.join(' ') || 'none'}`,
    );
  }
  const { json, quick, engines, 'no-pipeline': noPipeline } = values;
  if (subject === 'decode') {
    return {
      subject,
      json,
      quick,
      pipeline: !quick && !noPipeline,
      engines: engines === undefined ? undefined : parseEngines(engines),
    };
  }
  if (noPipeline || engines !== undefined) {
    throw invalid('bridge must stand without --no-pipeline and --engines');
  }
  return { subject, json, quick };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        'no-pipeline': { type: 'boolean', default: false },
        engines: { type: 'string' },
      },
    });
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error));
  }
}

function parseEngines(text: string): OpusEngineName[] {
  return text.split(',').map((word) => {
    const name = OPUS_ENGINES.find((known) => known === word);
    if (name === undefined) throw invalid(`engines are ${OPUS_ENGINES.join(', ')}, got ${word}`);
    return name;
  });
}

function invalid(reason: string): CodedError {
  return new CodedError('invalid_bench_options', `Cannot run the bench: ${reason}`, {
    fix: USAGE,
  });
}
