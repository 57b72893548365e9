import { parseArgs } from 'node:util';
import { CodedError } from '@earshot/async';
import type { OpusEngineName } from '@earshot/opus';
import { OPUS_ENGINES } from '@earshot/opus';

export interface BenchOptions {
  /** Only the JSON line on stdout. */
  readonly json: boolean;
  /** Fewer slices: good for a look, not for a figure that is written down. */
  readonly quick: boolean;
  readonly pipeline: boolean;
  /** Engines that must be there; undefined: those that load. */
  readonly engines: readonly OpusEngineName[] | undefined;
}

const USAGE = 'npm run bench -- decode [--json] [--quick] [--no-pipeline] [--engines a,b]';

/**
 * Reads what follows `npm run bench --`.
 *
 * @throws CodedError `invalid_bench_options`
 */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parse(args);
  if (positionals.length !== 1 || positionals[0] !== 'decode') {
    throw invalid(`the subject must be decode or events, got ${positionals.join(' ') || 'none'}`);
  }
  const { json, quick } = values;
  return {
    json,
    quick,
    pipeline: !quick && !values['no-pipeline'],
    engines: values.engines === undefined ? undefined : parseEngines(values.engines),
  };
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
