/** A refusal as Graph answers it: HTTP status, and a code that is often a result subcode. */
export class GraphFault extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'GraphFault';
    this.status = status;
    this.code = code;
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

/** 501/8520 for what Graph can do and this simulator can't: honest rather than wrong. */
export function notSimulated(what: string): GraphFault {
  return new GraphFault(501, '8520', `The sandbox does not simulate ${what}.`);
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

/** 403/7504: a permission is not granted in the tenant. */
export function insufficientPermissions(): GraphFault {
  return new GraphFault(
    403,
    '7504',
    'Insufficient enterprise tenant permissions, cannot access this API.',
  );
}
