import type { CallRecord, Registry } from '@earshot/registry';
import { Problem } from './problem.js';

/** The call of a request. @throws Problem 404 `call_not_found`. */
export async function callOf(registry: Registry, callId: string): Promise<CallRecord> {
  const record = await registry.readCall(callId);
  if (record !== undefined) return record;
  throw new Problem({
    status: 404,
    code: 'call_not_found',
    title: 'No such call',
    detail: 'Cannot find the call: its id must be one that POST /v1/calls gave, got another',
  });
}
