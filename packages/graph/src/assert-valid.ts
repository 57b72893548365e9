import type { MetadataFault } from '@earshot/graph-metadata';
import { faultText } from '@earshot/graph-metadata';
import { GraphError } from './graph-error.js';

/** Throws for a body that Graph would refuse, before it is sent. */
export function assertValid(action: string, faults: readonly MetadataFault[]): void {
  const [first, ...others] = faults;
  if (first === undefined) return;
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  throw new GraphError('graph_request_invalid', `Cannot ${action}: ${faultText(first)}${more}`);
}
