import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { exampleEvents } from '../schema/examples.mjs';
import { schemaFiles } from '../schema/generate.mjs';
import { EVENT_TYPES, parseEvent } from '../src/event-schema.js';

const require = createRequire(import.meta.url);

function published(name: string): string {
  return readFileSync(new URL(`../schema/${name}`, import.meta.url), 'utf8');
}

function validator() {
  const ajv = new Ajv2020({ allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(JSON.parse(published('events.schema.json')));
  return ajv;
}

describe('the published schema files', () => {
  it('are what the code says; else run `npm run build:schema`', () => {
    for (const [name, text] of Object.entries(schemaFiles())) expect(published(name)).toBe(text);
  });

  it('have a valid example of every type', () => {
    const examples = exampleEvents();
    expect(Object.keys(examples).sort()).toEqual([...EVENT_TYPES].sort());
    const ajv = validator();
    for (const type of EVENT_TYPES) {
      expect(parseEvent(examples[type])).toEqual(examples[type]);
      expect(ajv.validate('urn:earshot:events:1', examples[type]), ajv.errorsText()).toBe(true);
      expect(ajv.validate(`urn:earshot:events:1#/$defs/${type}`, examples[type])).toBe(true);
    }
    const job = { events: Object.values(examples) };
    expect(ajv.validate('urn:earshot:events:1#/$defs/job', job), ajv.errorsText()).toBe(true);
  });

  it('are told of in the README, type by type and field by field', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const rows = readme.split('\n').filter((line) => line.startsWith('| `'));
    const { $defs } = JSON.parse(published('events.schema.json'));
    const fieldsOf = (type: string): string[] =>
      Object.keys($defs[type].properties.data.properties);
    const counts = fieldsOf('media.streamClosed').filter((field) => field.startsWith('frames'));
    for (const type of EVENT_TYPES) {
      const [subject, verb] = type.split('.');
      const row = rows.find(
        (each) =>
          each.includes(`\`${type}\``) ||
          (each.includes(`\`${subject}.`) && each.includes(`\`.${verb}\``)),
      );
      const told = row?.replace('frame counts', counts.map((field) => `\`${field}\``).join());
      const inherited = told?.includes('those of `transcript.final`') === true;
      const known = inherited ? fieldsOf('transcript.final') : [];
      const missing = fieldsOf(type).filter(
        (field) => !known.includes(field) && !new RegExp(`\`${field}\\??\``).test(told ?? ''),
      );
      expect({ type, missing }).toEqual({ type, missing: [] });
    }
  });

  it('refuse what the code refuses', () => {
    const ajv = validator();
    const example = exampleEvents()['tone.detected'];
    const { id: _, ...withoutId } = example ?? {};
    const wrong = [
      withoutId,
      { ...example, version: 2 },
      { ...example, type: 'later.type' },
      { ...example, position: -1 },
      { ...example, wallclock: 'yesterday' },
      { ...example, data: { ...Object(example?.['data']), digit: 'X' } },
    ];
    for (const value of wrong) {
      expect(() => parseEvent(value)).toThrow();
      expect(ajv.validate('urn:earshot:events:1', value)).toBe(false);
    }
    expect(ajv.validate('urn:earshot:events:1#/$defs/job', { events: wrong })).toBe(false);
  });

  it('include an AsyncAPI 3.0 document that keeps to its own schema', () => {
    const document = parse(published('asyncapi.yaml'));
    // The schema brings draft-07 with it.
    const ajv = new Ajv({ strict: false, meta: false, allErrors: true, validateFormats: false });
    const schema = require('@asyncapi/specs/schemas/3.0.0.json');
    expect(ajv.validate(schema, document), ajv.errorsText()).toBe(true);
    expect(Object.keys(document.components.messages).sort()).toEqual(
      ['job', ...EVENT_TYPES].sort(),
    );
    // Whatever it points to is there.
    const { $defs } = JSON.parse(published('events.schema.json'));
    for (const message of Object.values<{ payload: { schema: { $ref: string } } }>(
      document.components.messages,
    )) {
      const [file, definition] = message.payload.schema.$ref.split('#/$defs/');
      expect(file).toBe('./events.schema.json');
      expect($defs).toHaveProperty([String(definition)]);
    }
  });
});
