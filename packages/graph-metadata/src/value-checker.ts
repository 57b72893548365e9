import { CROSS_RULES } from './call-rules.js';
import type { CsdlProperty } from './csdl.js';
import type { JsonObject } from './json.js';
import { objectOf, own } from './json.js';
import type { Limit } from './limits.js';
import { limitBroken } from './limits.js';
import type { MetadataFault } from './metadata-fault.js';
import { describe, MAX_FAULTS, pathOf } from './metadata-fault.js';
import type { Structure } from './model.js';
import {
  derivesFrom,
  enumNamed,
  membersOf,
  structureNamed,
  structureOfOdataType,
} from './model.js';
import { notifiedTypes } from './notified-resource.js';
import { primitiveBroken } from './primitives.js';

/** Deeper values are not looked into: no type of the calls API nests as deep. */
const MAX_DEPTH = 32;
const TOO_DEEP = `must not be deeper than ${MAX_DEPTH} levels`;
const TYPE_NAME = /^#?[\w.]{1,100}$/;

/** Members of one object: properties of a type, or parameters of an action. */
export interface Members {
  readonly properties: ReadonlyMap<string, CsdlProperty>;
  readonly limits: ReadonlyMap<string, Limit>;
  readonly isOpen: boolean;
}

/** Checks one value and gathers its faults. One checker, one value. */
export class ValueChecker {
  readonly #isOfService: boolean;
  readonly #faults: MetadataFault[] = [];

  constructor(isOfService: boolean) {
    this.#isOfService = isOfService;
  }

  get faults(): readonly MetadataFault[] {
    return this.#faults;
  }

  /** A value of a type, or of one that derives from it. */
  structured(path: string, declared: Structure, value: unknown, depth = 0): void {
    this.#structured(path, [declared], value, depth);
  }

  members(path: string, { properties, limits, isOpen }: Members, value: JsonObject): void {
    this.#members(path, { properties, limits, isOpen }, value, 0);
  }

  fault(path: string, rule: string, actual: string): void {
    if (this.#faults.length < MAX_FAULTS) this.#faults.push({ path, rule, actual });
  }

  #structured(path: string, declared: readonly Structure[], value: unknown, depth: number): void {
    const object = objectOf(value);
    if (object === undefined || depth > MAX_DEPTH) {
      const rule = depth > MAX_DEPTH ? TOO_DEEP : 'must be an object';
      this.fault(path, rule, describe(value));
      return;
    }
    const type = this.#typeOf(path, declared, object);
    if (type === undefined) return;
    this.#members(path, type, object, depth);
    if (derivesFrom(type, 'commsNotification')) this.#notified(path, object, depth);
    if (!this.#isOfService) this.#crossRules(path, type, object);
  }

  /** Follows `@odata.type`; undefined, with a fault, when it leads nowhere. */
  #typeOf(path: string, declared: readonly Structure[], object: JsonObject): Structure | undefined {
    const [first] = declared;
    const named = own(object, '@odata.type');
    if (named === undefined || named === null) {
      if (first?.isAbstract === true && !this.#isOfService) {
        this.fault(pathOf(path, '@odata.type'), `must say which ${first.name} it is`, 'nothing');
        return undefined;
      }
      return first;
    }
    const type =
      typeof named === 'string' ? structureOfOdataType(named, this.#isOfService) : undefined;
    const isOne = type !== undefined && declared.some(({ name }) => derivesFrom(type, name));
    if (isOne && !type.isAbstract) return type;
    const names = declared.map(({ name }) => name).join(' or ');
    const actual = typeof named === 'string' && TYPE_NAME.test(named) ? named : describe(named);
    this.fault(pathOf(path, '@odata.type'), `must name ${names} or a type of it`, actual);
    return undefined;
  }

  #members(path: string, members: Members, object: JsonObject, depth: number): void {
    if (!this.#isOfService) this.#missing(path, members, object);
    for (const [name, value] of Object.entries(object)) {
      if (name.includes('@') || value === undefined) continue;
      const property = members.properties.get(name);
      const at = pathOf(path, name);
      if (property !== undefined) {
        this.#property(at, property, value, depth);
        this.#limit(at, members.limits.get(name), value);
      } else if (!members.isOpen && !this.#isOfService) {
        this.fault(at, 'must not be given: it is not declared', describe(value));
      } else if (!this.#isOfService) {
        this.#undeclared(at, value, depth + 1);
      }
    }
  }

  #missing(path: string, { properties, limits }: Members, object: JsonObject): void {
    for (const [name, property] of properties) {
      if (own(object, name) !== undefined) continue;
      const isRequired = property.isRequired === true && property.isKey !== true;
      if (isRequired || limits.get(name)?.isRequired === true) {
        this.fault(pathOf(path, name), 'must be given', 'nothing');
      }
    }
  }

  #limit(path: string, limit: Limit | undefined, value: unknown): void {
    if (limit === undefined || this.#isOfService) return;
    const rule = limitBroken(limit, value);
    if (rule !== undefined) this.fault(path, rule, describe(value));
  }

  #property(path: string, property: CsdlProperty, value: unknown, depth: number): void {
    if (value === null) {
      const isRefused = property.isRequired === true && !this.#isOfService;
      if (isRefused) this.fault(path, 'must not be null', describe(value));
      return;
    }
    if (property.isCollection !== true) this.#single(path, property.type, value, depth);
    else if (!Array.isArray(value)) this.fault(path, 'must be a list', describe(value));
    else this.#each(path, value, (at, item) => this.#single(at, property.type, item, depth));
  }

  #single(path: string, type: string, value: unknown, depth: number): void {
    const structure = structureNamed(type);
    if (structure !== undefined) this.#structured(path, [structure], value, depth + 1);
    else if (enumNamed(type) !== undefined) this.#enum(path, type, value);
    else this.#primitive(path, type, value);
  }

  #primitive(path: string, type: string, value: unknown): void {
    const rule = primitiveBroken(type, value, this.#isOfService);
    if (rule !== undefined) this.fault(path, rule, describe(value));
  }

  #each(
    path: string,
    values: readonly unknown[],
    check: (at: string, item: unknown) => void,
  ): void {
    for (const [index, item] of values.entries()) {
      if (this.#faults.length >= MAX_FAULTS) return;
      check(`${path}[${index}]`, item);
    }
  }

  #enum(path: string, type: string, value: unknown): void {
    const members = membersOf(type, this.#isOfService);
    const known = new Set(members.map((member) => member.toLowerCase()));
    const isFlags = enumNamed(type)?.isFlags === true;
    const named = typeof value === 'string' ? (isFlags ? value.split(',') : [value]) : [];
    if (named.length > 0 && named.every((name) => known.has(name.trim().toLowerCase()))) return;
    this.fault(path, `must be one of ${members.join(', ')}`, describe(value));
  }

  /** What is not declared may be anything, but when it names a type, then one that exists. */
  #undeclared(path: string, value: unknown, depth: number): void {
    if (depth > MAX_DEPTH) {
      this.fault(path, TOO_DEEP, describe(value));
    } else if (Array.isArray(value)) {
      this.#each(path, value, (at, item) => this.#undeclared(at, item, depth + 1));
    } else {
      this.#undeclaredObject(path, value, own(value, '@odata.type'), depth);
    }
  }

  #undeclaredObject(path: string, value: unknown, named: unknown, depth: number): void {
    if (typeof named !== 'string') return;
    const type = structureOfOdataType(named, this.#isOfService);
    if (type !== undefined) {
      this.#structured(path, [type], value, depth + 1);
      return;
    }
    const actual = TYPE_NAME.test(named) ? named : describe(named);
    this.fault(pathOf(path, '@odata.type'), 'must name a type of the metadata', actual);
  }

  /** The data of a notification is of the type that its address says. */
  #notified(path: string, notification: JsonObject, depth: number): void {
    const data = own(notification, 'resourceData');
    const at = pathOf(path, 'resourceData');
    const types = (notifiedTypes(notification) ?? []).flatMap((name) => structureNamed(name) ?? []);
    if (data === undefined || data === null || types.length === 0) return;
    if (!Array.isArray(data)) this.#structured(at, types, data, depth + 1);
    else this.#each(at, data, (one, item) => this.#structured(one, types, item, depth + 1));
  }

  #crossRules(path: string, type: Structure, object: JsonObject): void {
    const rules = CROSS_RULES.get(type.name);
    for (const { path: at, rule, actual } of rules?.(object) ?? []) {
      this.fault(path === '' ? at : `${path}.${at}`, rule, actual);
    }
  }
}
