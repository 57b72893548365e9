import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type { VendorFault } from '../vendor-fault.js';
import { refused, unavailable } from '../vendor-fault.js';
import type { DialectSession, StreamDialect } from './stream-dialect.js';
import type { VendorAddress } from './vendor-link.js';

/** Where a vendor is asked, with credentials that may have to be fetched; the fault if there are none. */
export async function addressWithin(
  { dialect, session, clock }: { dialect: StreamDialect; session: DialectSession; clock: Clock },
  timeoutMs: number,
): Promise<VendorAddress | VendorFault> {
  const { engine } = dialect;
  let cancel = (): void => {};
  const late = new Promise<VendorFault>((resolve) => {
    cancel = clock.at(clock.nowMs() + timeoutMs, () => {
      resolve(unavailable(engine, `its credentials must be there within ${timeoutMs} ms`));
    });
  });
  try {
    return await Promise.race([dialect.address(session), late]);
  } catch (error) {
    const isRefused = error instanceof CodedError && error.code === 'recognizer_refused';
    // What was thrown may tell of whom and what was asked.
    return isRefused
      ? refused(engine, 'its credentials must be granted')
      : unavailable(engine, 'its credentials must be there');
  } finally {
    cancel();
  }
}
