import { randomUUID, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@earshot/async';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { AppTokens } from './app-tokens.js';

/** Permissions that an administrator granted to the app, by default. */
export const DEFAULT_ROLES: readonly string[] = [
  'Calls.Initiate.All',
  'Calls.InitiateGroupCall.All',
  'Calls.JoinGroupCall.All',
  'Calls.JoinGroupCallAsGuest.All',
  'Calls.AccessMedia.All',
];

export interface TokenEndpointOptions {
  readonly tokens: AppTokens;
  readonly clock: Clock;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Base of all authorities, such as `https://127.0.0.1:8443`. */
  authorityUrl(): string;
  /** Permissions granted in a tenant; undefined for a tenant that does not exist. */
  rolesOf(tenantId: string): readonly string[] | undefined;
}

interface TenantParams {
  Params: { tenant: string };
}

/**
 * The part of Entra ID that a confidential client needs: discovery, keys, and the client
 * credentials grant with a secret. Refusals carry the AADSTS numbers that Entra uses.
 */
export function addTokenEndpoint(app: FastifyInstance, options: TokenEndpointOptions): void {
  const { tokens, clientId, clientSecret } = options;

  app.get<TenantParams>('/:tenant/v2.0/.well-known/openid-configuration', (request, reply) => {
    const { tenant } = request.params;
    if (options.rolesOf(tenant) === undefined) return refuse(reply, unknownTenant(tenant));
    const base = `${options.authorityUrl()}/${tenant}`;
    return reply.send({
      issuer: `${base}/v2.0`,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      token_endpoint: `${base}/oauth2/v2.0/token`,
      jwks_uri: `${base}/discovery/v2.0/keys`,
      token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
      response_types_supported: ['code'],
      subject_types_supported: ['pairwise'],
      id_token_signing_alg_values_supported: ['RS256'],
      tenant_region_scope: 'EU',
      cloud_instance_name: 'microsoftonline.com',
    });
  });

  app.get<TenantParams>('/:tenant/discovery/v2.0/keys', (_request, reply) =>
    reply.send(tokens.jwks),
  );

  app.post<TenantParams>('/:tenant/oauth2/v2.0/token', async (request, reply) => {
    const { tenant } = request.params;
    const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
    const roles = options.rolesOf(tenant);
    if (roles === undefined) return refuse(reply, unknownTenant(tenant));
    const credentials = credentialsOf(form, request.headers.authorization);
    const refusal = refusalOf(form, credentials, clientId, clientSecret);
    if (refusal !== undefined) return refuse(reply, refusal);
    const { token, expiresInS } = await tokens.issue(tenant, clientId, roles);
    return reply.header('cache-control', 'no-store').send({
      token_type: 'Bearer',
      expires_in: expiresInS,
      ext_expires_in: expiresInS,
      access_token: token,
    });
  });

  function refuse(reply: FastifyReply, { status, error, number, text }: Refusal): FastifyReply {
    const now = new Date(options.clock.wallclockMs());
    const ids = { trace_id: randomUUID(), correlation_id: randomUUID() };
    return reply.code(status).send({
      error,
      error_description: `AADSTS${number}: ${text} Trace ID: ${ids.trace_id}`,
      error_codes: [number],
      timestamp: now.toISOString().replace('T', ' ').replace(/\.\d+/, ''),
      ...ids,
    });
  }
}

interface Refusal {
  readonly status: number;
  readonly error: string;
  readonly number: number;
  readonly text: string;
}

interface Credentials {
  readonly id: string | undefined;
  readonly secret: string | undefined;
}

function credentialsOf(form: URLSearchParams, authorization: string | undefined): Credentials {
  const basic = /^Basic ([\w+/=]+)$/i.exec(authorization ?? '')?.[1];
  if (basic === undefined) {
    return {
      id: form.get('client_id') ?? undefined,
      secret: form.get('client_secret') ?? undefined,
    };
  }
  const [id, secret] = Buffer.from(basic, 'base64').toString('utf8').split(':');
  return { id, secret };
}

function refusalOf(
  form: URLSearchParams,
  { id, secret }: Credentials,
  clientId: string,
  clientSecret: string,
): Refusal | undefined {
  if (form.get('grant_type') !== 'client_credentials') {
    return {
      status: 400,
      error: 'unsupported_grant_type',
      number: 70003,
      text: "The app requested an unsupported grant type; the sandbox grants 'client_credentials'.",
    };
  }
  if (!/^https:\/\/graph\.microsoft\.com\/\.default( |$)/.test(form.get('scope') ?? '')) {
    return {
      status: 400,
      error: 'invalid_scope',
      number: 1002012,
      text: "The provided value for scope is not valid; client credential flows must have the scope 'https://graph.microsoft.com/.default'.",
    };
  }
  if (id?.toLowerCase() !== clientId.toLowerCase()) {
    return {
      status: 400,
      error: 'unauthorized_client',
      number: 700016,
      text: 'The application was not found in the directory.',
    };
  }
  if (secret === undefined || !sameText(secret, clientSecret)) {
    return {
      status: 401,
      error: 'invalid_client',
      number: 7000215,
      text: 'Invalid client secret provided.',
    };
  }
  return undefined;
}

function unknownTenant(tenant: string): Refusal {
  return {
    status: 400,
    error: 'invalid_tenant',
    number: 90002,
    text: `Tenant '${tenant.slice(0, 64)}' not found.`,
  };
}

function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}
