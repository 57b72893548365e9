import type { MetadataFault } from '@earshot/graph-metadata';
import { checkAction, checkType } from '@earshot/graph-metadata';
import { badRequest, GraphFault, invalidArgument } from './graph-fault.js';

/**
 * Refuses the body of a new call that is not what the metadata say.
 *
 * @throws GraphFault 400
 */
export function requireNewCall(body: unknown): void {
  // A call without its tenant is refused as one of another tenant, later: so users report it.
  refuseFirst(checkType('call', body).filter(({ path }) => path !== 'tenantId'));
}

/**
 * Refuses a body that is not of a type of the metadata.
 *
 * @throws GraphFault 400
 */
export function requireType(name: string, body: unknown): void {
  refuseFirst(checkType(name, body));
}

/**
 * Refuses a body that an action of the metadata does not take.
 *
 * @param boundTo such as `call` or `Collection(participant)`
 * @throws GraphFault 400
 */
export function requireAction(boundTo: string, action: string, body: unknown): void {
  refuseFirst(checkAction(boundTo, action, body));
}

function refuseFirst([fault]: readonly MetadataFault[]): void {
  if (fault === undefined) return;
  const { path, rule, actual } = fault;
  if (path === '') throw badRequest('Empty Payload. JSON content expected.');
  if (path.endsWith('@odata.type')) {
    throw badRequest(`A value without a valid type name was found for '${path}'.`);
  }
  if (path.startsWith('source.identity')) {
    throw new GraphFault(400, '7507', `The source identity is invalid: '${path}' ${rule}.`);
  }
  throw invalidArgument(path, `${rule}, got ${actual}`);
}
