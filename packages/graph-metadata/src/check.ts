import { objectOf } from './json.js';
import { ACTION_LIMITS } from './limits.js';
import type { MetadataFault } from './metadata-fault.js';
import { describe } from './metadata-fault.js';
import { actionOf, structureNamed } from './model.js';
import { ValueChecker } from './value-checker.js';

export interface CheckOptions {
  /**
   * Who sends the value. A client must give what is required, may give nothing that is not
   * declared, and keeps to the documented limits. The service sends parts of resources and
   * properties of other versions, and writes numbers as text.
   * @defaultValue client
   */
  readonly from?: 'client' | 'service';
}

/**
 * The faults of a value against a type of Graph's metadata, such as `call` or
 * `commsNotifications`; none for a value that keeps to it. Never throws, whatever the value.
 */
export function checkType(
  typeName: string,
  value: unknown,
  { from = 'client' }: CheckOptions = {},
): readonly MetadataFault[] {
  const checker = new ValueChecker(from === 'service');
  const type = structureNamed(typeName);
  if (type === undefined) checker.fault('', 'must be of a type of the metadata', 'another type');
  else checker.structured('', type, value);
  return checker.faults;
}

/**
 * The faults of the body of a bound action, such as `checkAction('call', 'playPrompt', body)`.
 * No body is the same as an empty one.
 *
 * @param boundTo - `call`, `participant`, `Collection(call)` or `Collection(participant)`
 */
export function checkAction(
  boundTo: string,
  action: string,
  body: unknown,
): readonly MetadataFault[] {
  const checker = new ValueChecker(false);
  const model = actionOf(boundTo, action);
  const parameters = body === undefined ? {} : objectOf(body);
  if (model === undefined) {
    checker.fault('', 'must be the body of an action of the metadata', 'another action');
  } else if (parameters === undefined) {
    checker.fault('', 'must be an object', describe(body));
  } else {
    checker.members(
      '',
      {
        properties: new Map(Object.entries(model.parameters)),
        limits: new Map(Object.entries(ACTION_LIMITS[action] ?? {})),
        isOpen: false,
      },
      parameters,
    );
  }
  return checker.faults;
}

/** One fault as the end of a sentence: `targets must be given, got nothing`. */
export function faultText({ path, rule, actual }: MetadataFault): string {
  return `${path === '' ? 'it' : path} ${rule}, got ${actual}`;
}
