import type { Refusal } from '../scenario/scenario.js';
import { GraphFault } from './graph-fault.js';

/** Graph's usual words for refusals that name no subcode. */
const WORDS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'InvalidAuthenticationToken',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  429: 'TooManyRequests',
  500: 'InternalServerError',
  502: 'BadGateway',
  503: 'ServiceUnavailable',
  504: 'GatewayTimeout',
};

/** A scenario's refusal in Graph's form. */
export function refusalFault({ status, code, subcode, message, retryAfterS }: Refusal): GraphFault {
  const word = code ?? (subcode === undefined ? (WORDS[status] ?? 'Error') : String(subcode));
  return new GraphFault(status, word, message ?? 'Refused by a scenario.', retryAfterS);
}
