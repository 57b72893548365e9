import { parseArgs } from 'node:util';
import { CodedError } from '@earshot/async';

export interface SignalingOptions {
  /** Only the JSON line on stdout. */
  readonly json: boolean;
  /** Fewer callbacks and calls: good for a look, not for a figure that is written down. */
  readonly quick: boolean;
}

/**
 * Reads what follows `npm run bench -- signaling`.
 *
 * @throws CodedError `invalid_bench_options`
 */
export function parseSignalingOptions(args: readonly string[]): SignalingOptions {
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
      fix: 'npm run bench -- signaling [--json] [--quick]',
    });
  }
}
