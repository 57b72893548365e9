import { CSDL } from './csdl.generated.js';
import type { CsdlAction, CsdlEnum, CsdlProperty } from './csdl.js';
import type { Limit } from './limits.js';
import { TYPE_LIMITS } from './limits.js';
import { MORE_MEMBERS, MORE_PROPERTIES, MORE_TYPES } from './supplement.js';

/** A complex or entity type with what it inherits. */
export interface Structure {
  readonly name: string;
  readonly isAbstract: boolean;
  /** Takes properties that are not declared. */
  readonly isOpen: boolean;
  readonly properties: ReadonlyMap<string, CsdlProperty>;
  readonly limits: ReadonlyMap<string, Limit>;
  /** Itself and its bases. */
  readonly ancestry: readonly string[];
}

const TYPES = new Map(Object.entries({ ...CSDL.types, ...MORE_TYPES }));
const ENUMS: ReadonlyMap<string, CsdlEnum> = new Map(Object.entries(CSDL.enums));
const STRUCTURES: ReadonlyMap<string, Structure> = new Map(
  [...TYPES.keys()].map((name) => [name, structure(name)]),
);
const BY_LOWER_CASE = new Map([...STRUCTURES].map(([name, type]) => [name.toLowerCase(), type]));

/** The type of that name, without `microsoft.graph.`. */
export function structureNamed(name: string): Structure | undefined {
  return STRUCTURES.get(name);
}

/** The type that an `@odata.type` names; the service is not held to its own case. */
export function structureOfOdataType(
  odataType: string,
  isOfService: boolean,
): Structure | undefined {
  if (!isOfService) {
    const name = /^#microsoft\.graph\.(.+)$/.exec(odataType)?.[1];
    return name === undefined ? undefined : STRUCTURES.get(name);
  }
  return BY_LOWER_CASE.get(odataType.toLowerCase().replace(/^#?(?:microsoft\.graph\.)?/, ''));
}

export function enumNamed(name: string): CsdlEnum | undefined {
  return ENUMS.get(name);
}

/** Members that a value may name; the service knows more. */
export function membersOf(name: string, isOfService: boolean): readonly string[] {
  const members = ENUMS.get(name)?.members ?? [];
  return isOfService ? [...members, ...(MORE_MEMBERS[name] ?? [])] : members;
}

export function actionOf(boundTo: string, name: string): CsdlAction | undefined {
  return CSDL.actions.find((action) => action.name === name && action.boundTo === boundTo);
}

/** Whether a type is that of `name`, or derives from it. */
export function derivesFrom({ ancestry }: Structure, name: string): boolean {
  return ancestry.includes(name);
}

function structure(name: string): Structure {
  const ancestry = ancestryOf(name);
  const declared = ancestry.map((one) => TYPES.get(one));
  // A base that the subset leaves out may declare anything.
  const isWhole = declared.every((type) => type !== undefined && type.isPartial !== true);
  return {
    name,
    isAbstract: TYPES.get(name)?.isAbstract === true,
    isOpen: !isWhole || declared.some((type) => type?.isOpen === true),
    properties: new Map(
      ancestry.flatMap((one) => [
        ...Object.entries(TYPES.get(one)?.properties ?? {}),
        ...Object.entries(MORE_PROPERTIES[one] ?? {}),
      ]),
    ),
    limits: new Map(ancestry.flatMap((one) => Object.entries(TYPE_LIMITS[one] ?? {}))),
    ancestry,
  };
}

function ancestryOf(name: string): readonly string[] {
  const base = TYPES.get(name)?.base;
  return base === undefined ? [name] : [name, ...ancestryOf(base)];
}
