import { CodedError } from '@earshot/async';

/** What went wrong, and all that is needed to see it again. */
export class FuzzFailure extends CodedError {
  /**
   * @param run how many packets were decoded before
   * @param packet the packet at fault, or the last one before the fault showed
   */
  constructor(problem: string, seed: number, run: number, packet: Uint8Array) {
    const hex = Buffer.from(packet).toString('hex');
    super('fuzz_failed', `${problem}; seed ${seed}, run ${run}, packet ${hex || '(empty)'}`);
  }
}
