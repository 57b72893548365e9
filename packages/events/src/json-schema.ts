import { z } from 'zod';
import { EVENT_TYPES, eventSchema } from './event-schema.js';

type Schema = Record<string, unknown>;

/**
 * The schema of every event as JSON Schema, draft 2020-12: any event at the root; each type under
 * `$defs` by its name, and the data of a job under `$defs.job`. Unknown fields are allowed.
 */
export function eventJsonSchema(): Schema {
  const { $schema, oneOf } = z.toJSONSchema(eventSchema, { io: 'input' });
  const $defs: Record<string, Schema> = {};
  for (const variant of oneOf ?? []) $defs[typeOf(variant)] = { ...variant };
  return {
    $schema,
    $id: 'urn:earshot:events:1',
    title: 'Earshot event',
    oneOf: EVENT_TYPES.map((type) => ({ $ref: `#/$defs/${type}` })),
    $defs: { ...$defs, job: jobSchema() },
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

function typeOf(variant: z.core.JSONSchema._JSONSchema): string {
  const type = typeof variant === 'object' ? variant.properties?.['type'] : undefined;
  return typeof type === 'object' ? String(type.const) : '';
}
