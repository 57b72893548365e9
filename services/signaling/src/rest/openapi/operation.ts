import { z } from 'zod';
import type { ProblemMeaning } from '../problem-codes.js';
import { PROBLEM_CODES } from '../problem-codes.js';
import type { RegisteredRoute } from './registered-routes.js';
import type {
  AnswerDescription,
  BodyDescription,
  HeaderName,
  Json,
  RouteDescription,
} from './route-description.js';

/** What stands in a path. */
const PATH_PARAMETERS: Readonly<Record<string, string>> = {
  pid: 'Of the participant, as the list gives it',
  playId: 'As `POST …/play` gave it',
  opId: 'As the request that began it gave it',
  deliveryId: 'As the list gives it',
  groupId: 'Of the audio routing group',
  attemptKey: 'Unguessable; made for each join',
  asset: 'As the page names it',
};

const HEADERS: Readonly<Record<HeaderName, Json>> = {
  'Idempotency-Key': {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'Names the request: repeated with the same key within 24 hours it gets the answer of the first and is not carried out again.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
  'Last-Event-ID': {
    name: 'Last-Event-ID',
    in: 'header',
    description: 'Goes on after this event, or with the oldest one kept.',
    schema: { type: 'string', maxLength: 500 },
  },
};

/** What any route under the API-key door may answer. */
const OF_ANY_ROUTE: readonly string[] = [
  'unauthorized',
  'missing_scope',
  'rate_limited',
  'redis_unreachable',
  'not_replicated',
  'internal_error',
];
const OF_ANY_BODY: readonly string[] = [
  'invalid_request',
  'body_too_large',
  'unsupported_media_type',
];
const OF_ANY_KEY: readonly string[] = [
  'request_in_progress',
  'request_outcome_unknown',
  'idempotency_key_reused',
];

/** One operation of the document. */
export function operationObject(route: RegisteredRoute, description: RouteDescription): Json {
  const { tag, summary, body, answer } = description;
  return {
    operationId: operationIdOf(route.name),
    tags: [tag],
    summary,
    ...(description.description === undefined ? {} : { description: description.description }),
    security: securityOf(route, description),
    ...(route.scope === undefined ? {} : { 'x-required-scope': route.scope }),
    parameters: parametersOf(route, description),
    ...(body === undefined ? {} : { requestBody: requestBodyOf(body) }),
    responses: { [answer.status]: answerOf(answer), ...problemsOf(description) },
  };
}

/** `GET /v1/calls/{id}/plays` → `getCallsIdPlays`: the same as long as the route is. */
function operationIdOf(name: string): string {
  const [method = '', path = ''] = name.split(' ');
  const words = path.replace(/^\/v1\//, '/').match(/\w+/g) ?? [];
  return method.toLowerCase() + words.map((w) => w[0]?.toUpperCase() + w.slice(1)).join('');
}

function securityOf({ scope }: RegisteredRoute, { tag }: RouteDescription): readonly Json[] {
  if (tag === 'graph') return [{ graphToken: [] }];
  if (tag === 'service') return [];
  return [{ apiKey: scope === undefined ? [] : [scope] }];
}

function parametersOf(
  { name }: RegisteredRoute,
  { query, headers = [] }: RouteDescription,
): Json[] {
  const inPath = [...name.matchAll(/\{(\w+)\}/g)].map(([, parameter = '']) => ({
    name: parameter,
    in: 'path',
    required: true,
    description: PATH_PARAMETERS[parameter] ?? ownerOf(name),
    schema: { type: 'string' },
  }));
  return [...inPath, ...queryParameters(query), ...headers.map((header) => HEADERS[header])];
}

/** Whose `id` a path has. */
function ownerOf(name: string): string {
  return name.includes('/v1/webhooks/') ? 'Of the webhook' : 'Of the call';
}

function queryParameters(schema: z.ZodType | undefined): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input' });
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: 'query',
    ...(required.includes(name) ? { required: true } : {}),
    schema: property,
  }));
}

function requestBodyOf({ schema, content, description, required = true }: BodyDescription): Json {
  return {
    required,
    ...(description === undefined ? {} : { description }),
    content: content ?? json(schema === undefined ? {} : bareSchema(schema, 'input')),
  };
}

function answerOf({ description, schema, content }: AnswerDescription): Json {
  const body = content ?? (schema === undefined ? undefined : json(reference(schema)));
  return { description, ...(body === undefined ? {} : { content: body }) };
}

/** The problems of a route by their statuses, each with its codes and what they mean. */
function problemsOf(description: RouteDescription): Json {
  const codesByStatus = new Map<number, Set<string>>();
  for (const code of problemCodesOf(description)) {
    for (const status of meaningOf(code).statuses) {
      codesByStatus.set(status, (codesByStatus.get(status) ?? new Set()).add(code));
    }
  }
  const statuses = [...codesByStatus].sort(([a], [b]) => a - b);
  return Object.fromEntries(
    statuses.map(([status, codes]) => [
      status,
      {
        description: [...codes].map((c) => `\`${c}\`: ${meaningOf(c).meaning}`).join('\n\n'),
        ...(RETRY_STATUSES.has(status) ? { headers: RETRY_AFTER } : {}),
        content: { 'application/problem+json': { schema: reference('Problem') } },
      },
    ]),
  );
}

function problemCodesOf(description: RouteDescription): string[] {
  const { tag, body, query, headers = [], problems = [] } = description;
  const isUnderDoor = tag !== 'service' && tag !== 'graph';
  const ofQuery: readonly string[] = ['invalid_request'];
  return [
    ...problems,
    ...(body === undefined ? [] : OF_ANY_BODY),
    ...(query === undefined && headers.length === 0 ? [] : ofQuery),
    ...(headers.includes('Idempotency-Key') ? OF_ANY_KEY : []),
    ...(isUnderDoor ? OF_ANY_ROUTE : []),
  ];
}

function meaningOf(code: string): ProblemMeaning {
  const meaning = PROBLEM_CODES[code];
  if (meaning === undefined) throw new Error(`${code} must be one of PROBLEM_CODES`);
  return meaning;
}

const RETRY_STATUSES: ReadonlySet<number> = new Set([409, 429, 503]);
const RETRY_AFTER: Json = {
  'Retry-After': {
    description: 'Seconds after which it may be tried again, where that makes sense',
    schema: { type: 'integer' },
  },
};

function json(schema: Json): Json {
  return { 'application/json': { schema } };
}

function reference(schema: string): Json {
  return { $ref: `#/components/schemas/${schema}` };
}

/** Without the dialect: OpenAPI 3.1 states it for the whole document. */
export function bareSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...bare } = z.toJSONSchema(schema, { io });
  return bare;
}
