import type { JsonObject } from './json.js';
import { own } from './json.js';
import type { MetadataFault } from './metadata-fault.js';
import { describe } from './metadata-fault.js';

const E164 = /^\+[1-9]\d{1,14}$/;
const MAX_TARGETS = 5;

type Rule = (value: JsonObject) => readonly MetadataFault[];

/** What properties of one request ask of one another, by type (Graph: the documents). */
export const CROSS_RULES: ReadonlyMap<string, Rule> = new Map([
  ['call', newCallFaults],
  ['audioRoutingGroup', routingFaults],
]);

/** Which properties a new call needs, by what it calls (Graph: application-post-calls). */
function newCallFaults(call: JsonObject): readonly MetadataFault[] {
  const meeting = own(call, 'meetingInfo') ?? undefined;
  if (meeting !== undefined) return meetingFaults(call, own(meeting, '@odata.type'));
  if (isGiven(own(call, 'chatInfo'))) return needed(call, 'chatInfo', 'threadId');
  return targetFaults(call);
}

function meetingFaults(call: JsonObject, kind: unknown): readonly MetadataFault[] {
  const name = textOf(kind).replace(/^#microsoft\.graph\./, '');
  if (name === 'organizerMeetingInfo') {
    return [...needed(call, 'chatInfo', 'threadId'), ...needed(call, 'tenantId')];
  }
  if (name !== 'joinMeetingIdMeetingInfo') return [];
  const chatInfo = own(call, 'chatInfo') ?? undefined;
  const superfluous =
    chatInfo === undefined
      ? []
      : [fault('chatInfo', 'must not be given with a meeting id', chatInfo)];
  return [...superfluous, ...needed(call, 'tenantId')];
}

function targetFaults(call: JsonObject): readonly MetadataFault[] {
  const targets = own(call, 'targets');
  if (!Array.isArray(targets) || targets.length === 0) {
    return [fault('targets', 'must be given for a call to no meeting and no chat', targets)];
  }
  if (targets.length > MAX_TARGETS) {
    return [fault('targets', `must have 1 to ${MAX_TARGETS} items`, targets)];
  }
  const phones = targets.map((target) => own(own(target, 'identity'), 'phone') ?? undefined);
  return phones.some((phone) => phone !== undefined) ? phoneFaults(call, phones) : [];
}

function phoneFaults(call: JsonObject, phones: readonly unknown[]): readonly MetadataFault[] {
  const caller = own(own(own(own(call, 'source'), 'identity'), 'applicationInstance'), 'id');
  const number = own(phones[0], 'id');
  return [
    ...(phones.length === 1 ? [] : [fault('targets', 'must be one when it is a phone', phones)]),
    ...(typeof caller === 'string' && caller !== ''
      ? []
      : [fault('source.identity.applicationInstance.id', 'must be given to call a phone', caller)]),
    ...(typeof number === 'string' && E164.test(number)
      ? []
      : [fault('targets[0].identity.phone.id', 'must be a number in E.164 form', number)]),
  ];
}

/** `oneToOne` has one source and one receiver (Graph: call-post-audioroutinggroups). */
function routingFaults(group: JsonObject): readonly MetadataFault[] {
  if (textOf(own(group, 'routingMode')).toLowerCase() !== 'onetoone') return [];
  return ['sources', 'receivers'].flatMap((name) => {
    const ends = own(group, name);
    const isOne = Array.isArray(ends) && ends.length === 1;
    return isOne ? [] : [fault(name, 'must be one with the mode oneToOne', ends)];
  });
}

function needed(call: JsonObject, ...names: readonly string[]): readonly MetadataFault[] {
  const value = names.reduce<unknown>(own, call);
  return isGiven(value) && value !== '' ? [] : [fault(names.join('.'), 'must be given', value)];
}

/** Not `String()`: an object may have members that make that throw. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function fault(path: string, rule: string, actual: unknown): MetadataFault {
  return { path, rule, actual: describe(actual) };
}
