// @ts-check
// Graph's metadata (CSDL XML) as a TypeScript module; see build.mjs and the test that compares them.
import { fileURLToPath } from 'node:url';
import { XMLParser } from 'fast-xml-parser';

/**
 * @typedef {{ Name: string, Type: string, Nullable?: string }} CsdlProperty
 * @typedef {{ PropertyRef: { Name: string }[] }} CsdlKey
 * @typedef {{
 *   Name: string, BaseType?: string, Abstract?: string, OpenType?: string, Key?: CsdlKey,
 *   Property?: CsdlProperty[], NavigationProperty?: CsdlProperty[], '#comment'?: unknown,
 * }} CsdlStructured
 * @typedef {{ Name: string, IsFlags?: string, Member: { Name: string }[] }} CsdlEnum
 * @typedef {{ Name: string, Parameter?: CsdlProperty[], ReturnType?: { Type: string } }} CsdlAction
 * @typedef {{
 *   Namespace: string, EnumType?: CsdlEnum[], ComplexType?: CsdlStructured[],
 *   EntityType?: CsdlStructured[], Action?: CsdlAction[],
 * }} CsdlSchema
 */

export const CSDL_FILE = fileURLToPath(
  new URL('graph-v1.0-communications.csdl.xml', import.meta.url),
);
export const MODULE_FILE = fileURLToPath(new URL('../src/csdl.generated.ts', import.meta.url));

const LISTS = new Set([
  'Schema',
  'EnumType',
  'Member',
  'ComplexType',
  'EntityType',
  'Property',
  'NavigationProperty',
  'PropertyRef',
  'Action',
  'Parameter',
]);

/**
 * The text of the generated module.
 * @param {string} xml
 */
export function csdlModule(xml) {
  const schemas = schemasOf(xml);
  const structured = schemas.flatMap((schema) =>
    [...(schema.ComplexType ?? []), ...(schema.EntityType ?? [])].map((type) =>
      entry(qualified(schema.Namespace, type.Name), structuredModel(type)),
    ),
  );
  const enums = schemas.flatMap((schema) =>
    (schema.EnumType ?? []).map((type) => entry(type.Name, enumModel(type))),
  );
  const actions = schemas.flatMap((schema) => (schema.Action ?? []).map(actionModel));
  return `// Made by csdl/build.mjs from Graph's metadata (MIT, see csdl/LICENSE): do not edit.
import type { Csdl } from './csdl.js';

export const CSDL: Csdl = {
  enums: {
${lines(enums)}
  },
  types: {
${lines(structured)}
  },
  actions: [
${lines(actions.map((action) => JSON.stringify(action)))}
  ],
};
`;
}

/**
 * @param {string} xml
 * @returns {CsdlSchema[]}
 */
function schemasOf(xml) {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseAttributeValue: false,
    commentPropName: '#comment',
    isArray: (name) => LISTS.has(name),
  });
  return parser.parse(xml)['edmx:Edmx']['edmx:DataServices'].Schema;
}

/** @param {CsdlStructured} type */
function structuredModel(type) {
  const keys = new Set(type.Key?.PropertyRef.map(({ Name }) => Name));
  const properties = [...(type.Property ?? []), ...(type.NavigationProperty ?? [])].map(
    (property) => [
      property.Name,
      { ...propertyModel(property), ...(keys.has(property.Name) ? { isKey: true } : {}) },
    ],
  );
  return {
    ...(type.BaseType === undefined ? {} : { base: shortName(type.BaseType) }),
    ...(type.Abstract === 'true' ? { isAbstract: true } : {}),
    ...(type.OpenType === 'true' ? { isOpen: true } : {}),
    // The subset says in a comment where it leaves members out.
    ...(type['#comment'] === undefined ? {} : { isPartial: true }),
    ...(properties.length === 0 ? {} : { properties: Object.fromEntries(properties) }),
  };
}

/** @param {CsdlEnum} type */
function enumModel(type) {
  return {
    members: type.Member.map(({ Name }) => Name),
    ...(type.IsFlags === 'true' ? { isFlags: true } : {}),
  };
}

/** @param {CsdlAction} action */
function actionModel({ Name, Parameter = [], ReturnType }) {
  const [binding, ...parameters] = Parameter;
  if (binding === undefined) throw new Error(`The action ${Name} is bound to nothing`);
  return {
    name: Name,
    boundTo: typeName(binding.Type),
    parameters: Object.fromEntries(parameters.map((p) => [p.Name, propertyModel(p)])),
    ...(ReturnType === undefined ? {} : { returns: typeName(ReturnType.Type) }),
  };
}

/** @param {CsdlProperty} property */
function propertyModel({ Type, Nullable }) {
  const item = /^Collection\((.+)\)$/.exec(Type)?.[1];
  return {
    type: shortName(item ?? Type),
    ...(item === undefined ? {} : { isCollection: true }),
    ...(Nullable === 'false' ? { isRequired: true } : {}),
  };
}

/** @param {string} name */
function typeName(name) {
  return name.replace(/(?:microsoft\.)?graph\./, '');
}

/** @param {string} name */
function shortName(name) {
  return name.replace(/^(?:microsoft\.)?graph\./, '');
}

/**
 * @param {string} namespace
 * @param {string} name
 */
function qualified(namespace, name) {
  return shortName(`${namespace}.${name}`);
}

/**
 * @param {string} name
 * @param {object} model
 */
function entry(name, model) {
  return `${JSON.stringify(name)}: ${JSON.stringify(model)}`;
}

/** @param {readonly string[]} texts */
function lines(texts) {
  return texts.map((text) => `    ${text},`).join('\n');
}
