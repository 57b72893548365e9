import type { ParseFailure } from '@earshot/bridge-protocol';
import { CLOSE } from '@earshot/bridge-protocol';

const CODES: Readonly<Record<ParseFailure, number>> = {
  invalid_json: CLOSE.protocolError,
  invalid_message: CLOSE.protocolError,
  unsupported_type: CLOSE.protocolError,
  unsupported_version: CLOSE.unsupportedVersion,
  too_large: CLOSE.tooLarge,
};

/** What a link is closed with when its peer sent no message. */
export function closeCodeOf(failure: ParseFailure): number {
  return CODES[failure];
}
