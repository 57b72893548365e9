/** A refusal as Graph answers it: HTTP status, and a code that is often a result subcode. */
export class GraphFault extends Error {
  readonly status: number;
  readonly code: string;
  readonly retryAfterS: number | undefined;

  constructor(status: number, code: string, message: string, retryAfterS?: number) {
    super(message);
    this.name = 'GraphFault';
    this.status = status;
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}

/** 400 for what is not the JSON or the OData that the resource takes. */
export function badRequest(message: string): GraphFault {
  return new GraphFault(400, 'BadRequest', message);
}

/** 400/8523 for a property that is missing or out of range. */
export function invalidArgument(property: string, rule: string): GraphFault {
  return new GraphFault(400, '8523', `Invalid argument: '${property}' ${rule}.`);
}

/** 401 for a bearer token that is missing or not good. */
export function unauthenticated(message: string): GraphFault {
  return new GraphFault(401, 'InvalidAuthenticationToken', message);
}

/** 404/8522: the call is over, or never was. */
export function callNotFound(): GraphFault {
  return new GraphFault(404, '8522', 'Call not found.');
}

/** 403/7505: the token's tenant is not the call's. */
export function tenantMismatch(): GraphFault {
  return new GraphFault(403, '7505', 'Request authorization tenant mismatch.');
}

/** 403/7503: calling is not enabled for the app. */
export function appNotRegistered(): GraphFault {
  return new GraphFault(403, '7503', 'Application is not registered in our store.');
}

/** 403/7504: a permission is not granted in the tenant. */
export function insufficientPermissions(): GraphFault {
  return new GraphFault(
    403,
    '7504',
    'Insufficient enterprise tenant permissions, cannot access this API.',
  );
}

/** 409/8519: another operation on the same thing has not completed. */
export function conflictingOperation(what: string): GraphFault {
  return new GraphFault(409, '8519', `Conflicting operation: ${what} is in progress.`);
}

/** 400/8548: the call is with one party only. */
export function notGroupCall(): GraphFault {
  return new GraphFault(400, '8548', 'The operation is only allowed in a group call.');
}

/** 400/8501 */
export function notEstablished(): GraphFault {
  return new GraphFault(400, '8501', 'The call is not established.');
}

/** 404 for something within a call. */
export function notFound(what: string): GraphFault {
  return new GraphFault(404, 'NotFound', `${what} was not found.`);
}
