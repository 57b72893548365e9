import { AUDIT_ROUTES, AUDIT_SCHEMAS } from './openapi/audit-routes.js';
import { CALL_ROUTES, CALL_SCHEMAS } from './openapi/call-routes.js';
import { CONTROL_ROUTES, CONTROL_SCHEMAS } from './openapi/control-routes.js';
import { DEPLOYMENT_ROUTES, DEPLOYMENT_SCHEMAS } from './openapi/deployment-routes.js';
import { LISTENING_ROUTES, LISTENING_SCHEMAS } from './openapi/listening-routes.js';
import { bareSchema, operationObject } from './openapi/operation.js';
import { PARTICIPANT_ROUTES, PARTICIPANT_SCHEMAS } from './openapi/participant-routes.js';
import { PLAY_ROUTES, PLAY_SCHEMAS } from './openapi/play-routes.js';
import { RECORDING_ROUTES } from './openapi/recording-routes.js';
import type { RegisteredRoute } from './openapi/registered-routes.js';
import type { Json, NamedSchemas, RouteDescriptions } from './openapi/route-description.js';
import { TAGS } from './openapi/route-description.js';
import { TAP_ROUTES, TAP_SCHEMAS } from './openapi/tap-routes.js';
import { problemView } from './schemas.js';

/** What the document says of each route: those of one area in one file. */
export const ROUTE_DESCRIPTIONS: RouteDescriptions = {
  ...CALL_ROUTES,
  ...PARTICIPANT_ROUTES,
  ...CONTROL_ROUTES,
  ...LISTENING_ROUTES,
  ...PLAY_ROUTES,
  ...RECORDING_ROUTES,
  ...TAP_ROUTES,
  ...AUDIT_ROUTES,
  ...DEPLOYMENT_ROUTES,
};

const SCHEMAS: NamedSchemas = {
  ...CALL_SCHEMAS,
  ...PARTICIPANT_SCHEMAS,
  ...CONTROL_SCHEMAS,
  ...LISTENING_SCHEMAS,
  ...PLAY_SCHEMAS,
  ...TAP_SCHEMAS,
  ...AUDIT_SCHEMAS,
  ...DEPLOYMENT_SCHEMAS,
  Problem: problemView,
};

/**
 * The REST API as an OpenAPI 3.1 document: of the routes as they are registered, made from the
 * schemas that requests are checked by.
 */
export function openApiDocument(routes: readonly RegisteredRoute[]): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Earshot signaling',
      version: '1',
      description:
        'Joins Teams meetings and follows their calls. Every failure is a problem (RFC 9457) with a stable `code`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: tagsOf(routes),
    components: {
      securitySchemes: {
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key; what is listed beside it is the scope that it must have.',
        },
        graphToken: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: "Signed by Teams, for this app and the call's tenant.",
        },
      },
      schemas: Object.fromEntries(
        Object.entries(SCHEMAS).map(([name, schema]) => [name, bareSchema(schema, 'output')]),
      ),
    },
    paths: pathsOf(routes),
  };
}

function tagsOf(routes: readonly RegisteredRoute[]): readonly Json[] {
  const used = new Set<string>(routes.map(({ name }) => ROUTE_DESCRIPTIONS[name]?.tag ?? ''));
  return Object.entries(TAGS)
    .filter(([name]) => used.has(name))
    .map(([name, description]) => ({ name, description }));
}

function pathsOf(routes: readonly RegisteredRoute[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of inOrder(routes)) {
    const description = ROUTE_DESCRIPTIONS[route.name];
    const [method = '', path = ''] = route.name.split(' ');
    if (description === undefined) continue;
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationObject(route, description) };
  }
  return paths;
}

/** As they are described: that order is made for readers. */
function inOrder(routes: readonly RegisteredRoute[]): readonly RegisteredRoute[] {
  const places = new Map(Object.keys(ROUTE_DESCRIPTIONS).map((name, place) => [name, place]));
  return [...routes].sort((a, b) => (places.get(a.name) ?? 0) - (places.get(b.name) ?? 0));
}
