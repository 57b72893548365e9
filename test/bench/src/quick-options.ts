import { parseArgs } from 'node:util';
import { CodedError } from '@earshot/async';

/** Options of a bench that may be run in short. */
export interface QuickOptions {
  /** Only the JSON line on stdout. */
  readonly json: boolean;
  /** Fewer repetitions: good for a look, not for a figure that is written down. */
  readonly quick: boolean;
}

/**
 * Reads what follows the name of a bench.
 *
 * @throws CodedError `invalid_bench_options`
 */
export function parseQuickOptions(bench: string, args: readonly string[]): QuickOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CodedError('invalid_bench_options', `Cannot run the bench: ${reason}`, {
      fix: `npm run bench -- ${bench} [--json] [--quick]`,
    });
  }
}
