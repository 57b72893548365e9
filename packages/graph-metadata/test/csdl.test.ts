import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CSDL_FILE, csdlModule, MODULE_FILE } from '../csdl/generate.mjs';
import { CSDL } from '../src/csdl.generated.js';
import { ACTION_LIMITS, TYPE_LIMITS } from '../src/limits.js';
import { actionOf, structureNamed } from '../src/model.js';
import { MORE_MEMBERS, MORE_PROPERTIES, MORE_TYPES } from '../src/supplement.js';

describe('the generated module', () => {
  it('is what the metadata says; else run `npm run build:csdl`', () => {
    expect(readFileSync(MODULE_FILE, 'utf8')).toBe(csdlModule(readFileSync(CSDL_FILE, 'utf8')));
  });

  it('has the types, enums and actions of the calls API', () => {
    expect(CSDL.enums['tone']?.members).toHaveLength(17);
    expect(CSDL.enums['onlineMeetingVideoDisabledReason']?.isFlags).toBe(true);
    expect(CSDL.types['call']).toMatchObject({
      base: 'entity',
      isOpen: true,
      properties: {
        callbackUri: { type: 'Edm.String', isRequired: true },
        targets: { type: 'invitationParticipantInfo', isCollection: true },
      },
    });
    expect(CSDL.types['entity']?.properties?.['id']?.isKey).toBe(true);
    expect(CSDL.types['presence']?.isPartial).toBe(true);
    expect(CSDL.actions).toHaveLength(21);
    expect(actionOf('Collection(participant)', 'invite')?.returns).toBe(
      'inviteParticipantsOperation',
    );
    expect(actionOf('participant', 'mute')).toBeDefined();
    expect(actionOf('call', 'mute')).toBeDefined();
  });
});

describe('the tables by hand', () => {
  it('add only what the metadata lacks', () => {
    for (const [name, properties] of Object.entries(MORE_PROPERTIES)) {
      expect(CSDL.types).toHaveProperty(name);
      for (const property of Object.keys(properties)) {
        expect(CSDL.types[name]?.properties ?? {}).not.toHaveProperty(property);
      }
    }
    for (const name of Object.keys(MORE_TYPES)) expect(CSDL.types).not.toHaveProperty(name);
    for (const [name, members] of Object.entries(MORE_MEMBERS)) {
      expect(CSDL.enums[name]?.members).not.toEqual(expect.arrayContaining([...members]));
    }
  });

  it('limit only what exists', () => {
    for (const [name, limits] of Object.entries(TYPE_LIMITS)) {
      const { properties } = structureNamed(name) ?? {};
      for (const property of Object.keys(limits))
        expect([...(properties ?? new Map()).keys()]).toContain(property);
    }
    for (const [name, limits] of Object.entries(ACTION_LIMITS)) {
      const actions = CSDL.actions.filter((action) => action.name === name);
      expect(actions).not.toHaveLength(0);
      for (const { parameters } of actions) {
        for (const parameter of Object.keys(limits)) expect(parameters).toHaveProperty(parameter);
      }
    }
  });
});
