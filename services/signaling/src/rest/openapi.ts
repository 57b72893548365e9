import { z } from 'zod';
import { AUDIO_TYPES } from '../plays/posted-audio.js';
import { AUDIT_SCHEMAS, auditPaths } from './audit.js';
import { playListView, playView } from './play-schemas.js';
import {
  callListView,
  callView,
  createCallBody,
  hostListView,
  listCallsQuery,
  problemView,
} from './schemas.js';
import type { PathKit } from './tap-paths.js';
import { TAP_SCHEMAS, tapPaths } from './tap-paths.js';

type Json = Readonly<Record<string, unknown>>;

const AUDIO = { type: 'string', format: 'binary' } as const;
const PLAY_ID = { name: 'playId', in: 'path', required: true, schema: { type: 'string' } } as const;
const CALL_ID = { name: 'id', in: 'path', required: true, schema: { type: 'string' } } as const;

/** The REST API as an OpenAPI 3.1 document, made from the schemas that requests are checked by. */
export function openApiDocument(): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Earshot signaling',
      version: '1',
      description: 'Joins Teams meetings and follows their calls.',
    },
    security: [{ apiKey: [] }],
    components: {
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } },
      schemas: {
        Call: output(callView),
        CallList: output(callListView),
        HostList: output(hostListView),
        Play: output(playView),
        PlayList: output(playListView),
        Problem: output(problemView),
        ...Object.fromEntries(
          Object.entries({ ...TAP_SCHEMAS, ...AUDIT_SCHEMAS }).map(([name, schema]) => [
            name,
            output(schema),
          ]),
        ),
      },
    },
    paths: {
      '/v1/calls': {
        post: {
          summary: 'Join a meeting',
          parameters: [IDEMPOTENCY_KEY],
          requestBody: { required: true, content: json(input(createCallBody)) },
          responses: answers(201, 'Graph accepted the call', 'Call'),
        },
        get: {
          summary: 'Calls, newest first',
          parameters: queryParameters(listCallsQuery),
          responses: answers(200, 'A page of calls', 'CallList'),
        },
      },
      '/v1/calls/{id}': {
        get: {
          summary: 'One call',
          parameters: [CALL_ID],
          responses: answers(200, 'The call', 'Call'),
        },
        delete: {
          summary: 'Hang up; repeating it is harmless',
          parameters: [CALL_ID],
          responses: answers(202, 'The call is being ended, or has ended', 'Call'),
        },
      },
      '/v1/calls/{id}/play': {
        post: {
          summary: 'Play audio into the meeting, after what was posted before',
          parameters: [CALL_ID, IDEMPOTENCY_KEY],
          requestBody: {
            required: true,
            description: 'Ogg Opus, or uncompressed WAV: at most 10 MiB and 10 minutes',
            content: Object.fromEntries(AUDIO_TYPES.map((type) => [type, { schema: AUDIO }])),
          },
          responses: answers(202, 'It is queued', 'Play'),
        },
      },
      '/v1/calls/{id}/plays': {
        get: {
          summary: 'What is, was and will be played into the meeting',
          parameters: [CALL_ID],
          responses: answers(200, 'The plays', 'PlayList'),
        },
      },
      '/v1/calls/{id}/plays/{playId}': {
        get: {
          summary: 'One play',
          parameters: [CALL_ID, PLAY_ID],
          responses: answers(200, 'The play', 'Play'),
        },
        delete: {
          summary: 'Stop it, or take it off the queue; repeating it is harmless',
          parameters: [CALL_ID, PLAY_ID],
          responses: answers(202, 'It is being cleared, or is over', 'Play'),
        },
      },
      '/v1/hosts': {
        get: {
          summary: 'Media hosts connected to this process',
          responses: answers(200, 'The hosts', 'HostList'),
        },
      },
      ...tapPaths(KIT),
      ...auditPaths(KIT),
    },
  };
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'A repeated request with the same key gets the answer of the first.',
  schema: { type: 'string', maxLength: 255 },
} as const;

const PROBLEM = {
  description: 'A problem (RFC 9457)',
  content: { 'application/problem+json': { schema: reference('Problem') } },
} as const;

const KIT: PathKit = {
  answers,
  queryParameters,
  body: (schema) => ({ content: json(input(schema)) }),
  problem: PROBLEM,
};

function answers(status: number, description: string, schema: string): Json {
  return {
    [status]: { description, content: json(reference(schema)) },
    default: PROBLEM,
  };
}

function queryParameters(schema: z.ZodType): Json[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input' });
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: 'query',
    schema: property,
  }));
}

function json(schema: Json): Json {
  return { 'application/json': { schema } };
}

function reference(schema: string): Json {
  return { $ref: `#/components/schemas/${schema}` };
}

function input(schema: z.ZodType): Json {
  return bare(z.toJSONSchema(schema, { io: 'input' }));
}

function output(schema: z.ZodType): Json {
  return bare(z.toJSONSchema(schema, { io: 'output' }));
}

/** Without the dialect: OpenAPI 3.1 states it for the whole document. */
function bare({ $schema: _, ...schema }: Json): Json {
  return schema;
}
