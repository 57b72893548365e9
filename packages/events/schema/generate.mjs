// @ts-check
// The published schema files, made from the code; see build.mjs and the test that compares them.
import { stringify } from 'yaml';
import { EVENT_TYPES, eventJsonSchema, PARTITIONS } from '../dist/index.js';
import { exampleEvents } from './examples.mjs';

const SCHEMA_FILE = 'events.schema.json';
const ASYNCAPI_FILE = 'asyncapi.yaml';

/**
 * The text of each file, by its name in this folder.
 * @returns {Record<string, string>}
 */
export function schemaFiles() {
  return {
    [SCHEMA_FILE]: `${JSON.stringify(jsonSchema(), null, 2)}\n`,
    [ASYNCAPI_FILE]: `# Made by build.mjs from the code: do not edit.\n${stringify(asyncApi(), { lineWidth: 100, aliasDuplicateObjects: false })}`,
  };
}

function jsonSchema() {
  const examples = exampleEvents();
  const { $defs, ...schema } = eventJsonSchema();
  const defs = Object.entries(/** @type {Record<string, object>} */ ($defs)).map(
    ([name, definition]) => {
      const example = name === 'job' ? exampleJob() : examples[name];
      return [name, example === undefined ? definition : { ...definition, examples: [example] }];
    },
  );
  return { ...schema, $defs: Object.fromEntries(defs) };
}

function exampleJob() {
  const { 'speech.started': started, 'speech.ended': ended } = exampleEvents();
  return { events: [started, ended] };
}

function asyncApi() {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => String(partition));
  return {
    asyncapi: '3.0.0',
    id: 'urn:earshot:events',
    info: {
      title: 'Earshot events',
      version: '1.0.0',
      description:
        'What Earshot has found out about calls, as jobs in BullMQ queues in Redis. The guarantees, and what a consumer must do, are in docs/events.md.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      redis: {
        host: '{redis}',
        protocol: 'redis',
        description: 'The Redis of the deployment; one Redis or a Redis Cluster.',
        variables: { redis: { default: 'localhost:6379', description: 'Its host and port.' } },
      },
    },
    channels: {
      partition: {
        address: 'events-{subscription}-{partition}',
        title: 'A BullMQ queue',
        description:
          'For BullMQ: prefix `earshot:{events-<partition>}` (with the braces: they are the hash tag of a cluster), queue name `events-<subscription>-<partition>`. All events of a call come through one partition. Concurrency is 1 over all consumers of a queue.',
        parameters: {
          subscription: {
            description: 'A copy of all events: 1 to 64 of A-Z a-z 0-9 _ . -',
            default: 'default',
          },
          partition: { description: 'Of the call.', enum: partitions },
        },
        messages: { job: { $ref: '#/components/messages/job' } },
      },
    },
    operations: {
      publish: {
        action: 'send',
        title: 'Earshot tells what it found out',
        channel: { $ref: '#/channels/partition' },
        messages: [{ $ref: '#/channels/partition/messages/job' }],
      },
    },
    components: { messages: { job: jobMessage(), ...eventMessages() } },
  };
}

function jobMessage() {
  return {
    name: 'events',
    title: 'A job: events of the calls of a partition, in order',
    summary: 'The name of the job is `events`; its id has no meaning.',
    contentType: 'application/json',
    payload: payload('job'),
    examples: [{ name: 'speech', payload: exampleJob() }],
  };
}

/** Not sent by themselves but within jobs: described for generators of types. */
function eventMessages() {
  const examples = exampleEvents();
  return Object.fromEntries(
    EVENT_TYPES.map((type) => [
      type,
      {
        name: type,
        title: `${type}, within a job`,
        contentType: 'application/json',
        payload: payload(type),
        examples: [{ name: 'example', payload: examples[type] }],
      },
    ]),
  );
}

/** @param {string} definition */
function payload(definition) {
  return {
    schemaFormat: 'application/schema+json;version=draft-2020-12',
    schema: { $ref: `./${SCHEMA_FILE}#/$defs/${definition}` },
  };
}
