import { CodedError } from '@earshot/async';

/**
 * A key as it can stand in a header; keys read from files often end in a line break.
 *
 * @throws CodedError `invalid_key`, which does not tell the key.
 */
export function vendorKey(engine: string, key: string): string {
  const trimmed = key.trim();
  if (/^[\x21-\x7e]+$/.test(trimmed)) return trimmed;
  const rule = `Cannot use ${engine}: its key must be of printable ASCII characters without spaces`;
  throw new CodedError('invalid_key', rule);
}
