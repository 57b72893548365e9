import fc from 'fast-check';
import { CSDL } from '../src/csdl.generated.js';
import type { CsdlProperty } from '../src/csdl.js';
import type { Structure } from '../src/model.js';
import { derivesFrom, structureNamed } from '../src/model.js';

const STRUCTURES: readonly Structure[] = Object.keys(CSDL.types).flatMap(
  (name) => structureNamed(name) ?? [],
);

const PRIMITIVES: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  'Edm.String': fc.string({ minLength: 1, maxLength: 20 }),
  'Edm.Boolean': fc.boolean(),
  'Edm.Int32': fc.integer(),
  'Edm.Int64': fc.maxSafeInteger(),
  'Edm.Double': fc.double({ noNaN: true, noDefaultInfinity: true }),
  'Edm.Guid': fc.uuid(),
  'Edm.DateTimeOffset': fc
    .date({ noInvalidDate: true, min: new Date(0), max: new Date(1e13) })
    .map((date) => date.toISOString()),
  'Edm.Duration': fc.constantFrom('PT0S', 'PT1.5S', 'P1D', 'P2DT3H4M', '-PT1M'),
};

/** A value that keeps to a type as the metadata alone declares it. */
export function anyOf(typeName: string, depth = 0): fc.Arbitrary<unknown> {
  const concrete = STRUCTURES.filter((type) => !type.isAbstract && derivesFrom(type, typeName));
  // What has no derived type that is known can't be made.
  if (concrete.length === 0) return fc.constant(undefined);
  return fc.constantFrom(...concrete).chain((type) => ofStructure(type, depth));
}

function ofStructure(type: Structure, depth: number): fc.Arbitrary<unknown> {
  const isAll = depth < 2;
  const members = [...type.properties].filter(
    ([, property]) => property.isRequired === true || isAll,
  );
  const model: Record<string, fc.Arbitrary<unknown>> = {
    '@odata.type': fc.constant(`#microsoft.graph.${type.name}`),
    ...Object.fromEntries(members.map(([name, property]) => [name, ofProperty(property, depth)])),
  };
  const required = members.filter(([, { isRequired }]) => isRequired === true);
  return fc.record(model, { requiredKeys: ['@odata.type', ...required.map(([name]) => name)] });
}

function ofProperty(property: CsdlProperty, depth: number): fc.Arbitrary<unknown> {
  const one = ofType(property.type, depth);
  if (property.isCollection === true) return fc.array(one, { maxLength: 2 });
  return property.isRequired === true ? one : fc.option(one);
}

function ofType(type: string, depth: number): fc.Arbitrary<unknown> {
  const members = CSDL.enums[type]?.members;
  if (members !== undefined)
    return fc.constantFrom(...members.flatMap((one) => [one, one.toUpperCase()]));
  return PRIMITIVES[type] ?? anyOf(type, depth + 1);
}
