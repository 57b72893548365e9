import { z } from 'zod';
import { EVENT_TYPES, envelopeSchema, eventSchema } from './event-schema.js';

type Schema = Record<string, unknown>;

/**
 * The schema of every event as JSON Schema, draft 2020-12: any event at the root; each type under
 * `$defs` by its name, what all have under `$defs.envelope`, and the data of a job under
 * `$defs.job`. Unknown fields are allowed.
 */
export function eventJsonSchema(): Schema {
  const { $schema, ...envelope } = z.toJSONSchema(envelopeSchema, { io: 'input' });
  const { oneOf = [] } = z.toJSONSchema(eventSchema, { io: 'input' });
  const types = oneOf.map(({ properties = {} }) => {
    const { type, data } = properties;
    return [constOf(type), typeSchema(type, data)] as const;
  });
  return {
    $schema,
    $id: 'urn:earshot:events:1',
    title: 'Earshot event',
    oneOf: EVENT_TYPES.map((type) => ({ $ref: `#/$defs/${type}` })),
    $defs: { ...Object.fromEntries(types), envelope, job: jobSchema() },
  };
}

function typeSchema(type: unknown, data: unknown): Schema {
  return {
    allOf: [{ $ref: '#/$defs/envelope' }],
    type: 'object',
    properties: { type, data },
    required: ['type', 'data'],
  };
}

function jobSchema(): Schema {
  return {
    title: 'The data of a job',
    type: 'object',
    properties: {
      events: {
        description: 'Of any calls of the partition, in order.',
        type: 'array',
        minItems: 1,
        items: { $ref: '#' },
      },
      replay: {
        description: 'True for dead letters that are given again.',
        type: 'boolean',
      },
    },
    required: ['events'],
  };
}

function constOf(schema: unknown): string {
  const hasConst = typeof schema === 'object' && schema !== null && 'const' in schema;
  return hasConst ? String(schema.const) : '';
}
