import { parseArgs } from 'node:util';
import { CodedError } from '@earshot/async';
import type { OpusEngineName } from '@earshot/opus';
import { DEFAULT_OPUS_ENGINE, OPUS_ENGINES } from '@earshot/opus';

export interface FuzzOptions {
  readonly engine: OpusEngineName;
  /** Packets to decode; a few more may be. */
  readonly runs: number;
  readonly seed: number;
}

const DEFAULT_RUNS = 10_000_000;
const DEFAULT_SEED = 1;
const USAGE =
  'npm run fuzz -- opus [--runs N] [--engine wasm|native|opusscript] [--seed N], or bridge [--runs N] [--seed N] [--target frames|control]';

/**
 * Reads what follows `npm run fuzz --`.
 *
 * @throws CodedError `invalid_fuzz_options`
 */
export function parseFuzzOptions(args: readonly string[]): FuzzOptions {
  const { values, positionals } = parse(args);
  if (positionals.length !== 1 || positionals[0] !== 'opus') {
    throw invalid(`the subject must be opus or bridge, got ${positionals.join(' ') || 'none'}`);
  }
  const engine = OPUS_ENGINES.find((name) => name === (values.engine ?? DEFAULT_OPUS_ENGINE));
  if (engine === undefined) {
    throw invalid(`the engine must be ${OPUS_ENGINES.join(', ')}, got ${values.engine}`);
  }
  return {
    engine,
    runs: parseNatural('runs', values.runs, DEFAULT_RUNS),
    seed: parseNatural('seed', values.seed, DEFAULT_SEED),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        engine: { type: 'string' },
        runs: { type: 'string' },
        seed: { type: 'string' },
      },
    });
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error));
  }
}

function parseNatural(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const number = Number(text.replaceAll('_', ''));
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw invalid(`${name} must be a whole number above 0, got ${text}`);
}

function invalid(reason: string): CodedError {
  return new CodedError('invalid_fuzz_options', `Cannot fuzz: ${reason}`, { fix: USAGE });
}
