const GUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const SHORT_GUID = /^[0-9a-f]{32}$/i;
const DATE_TIME =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,12})?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;
const DURATION = /^[+-]?P(?=\d|T)(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?$/;
const INTEGER_TEXT = /^-?\d{1,19}$/;
const NUMBER_TEXT = /^-?\d{1,19}(?:\.\d{1,19})?(?:e[+-]?\d{1,3})?$/i;
const NOT_FINITE = new Set(['INF', '-INF', 'NaN']);
const INT32_MAX = 2 ** 31 - 1;

interface Primitive {
  /** Reads after "must be". */
  readonly rule: string;
  /** As OData's JSON format 4.01 has it. */
  readonly takes: (value: unknown) => boolean;
  /** Other forms in which Graph itself was seen to write it. */
  readonly takesOfService?: (value: unknown) => boolean;
}

const PRIMITIVES: ReadonlyMap<string, Primitive> = new Map(
  Object.entries({
    'Edm.String': {
      rule: 'a text',
      takes: isText,
      takesOfService: (value: unknown) => typeof value === 'number',
    },
    'Edm.Boolean': {
      rule: 'true or false',
      takes: (value: unknown) => typeof value === 'boolean',
      takesOfService: (value: unknown) => matches(/^(?:true|false)$/i, value),
    },
    'Edm.Int32': {
      rule: 'a 32-bit integer',
      takes: isInt32,
      takesOfService: (value: unknown) => matches(INTEGER_TEXT, value) && isInt32(Number(value)),
    },
    'Edm.Int64': {
      rule: 'an integer',
      takes: (value: unknown) => Number.isSafeInteger(value),
      takesOfService: (value: unknown) => matches(INTEGER_TEXT, value),
    },
    'Edm.Double': {
      rule: 'a number',
      takes: (value: unknown) =>
        typeof value === 'number' || (isText(value) && NOT_FINITE.has(value)),
      takesOfService: (value: unknown) => matches(NUMBER_TEXT, value),
    },
    'Edm.Guid': {
      rule: 'a GUID',
      takes: (value: unknown) => matches(GUID, value),
      takesOfService: (value: unknown) => matches(SHORT_GUID, value),
    },
    'Edm.DateTimeOffset': {
      rule: 'a date and time with its offset',
      takes: (value: unknown) => matches(DATE_TIME, value),
    },
    'Edm.Duration': {
      rule: 'an ISO 8601 duration of days and less',
      takes: (value: unknown) => matches(DURATION, value),
    },
  } satisfies Record<string, Primitive>),
);

/** The rule that a value of `Edm.…` breaks; undefined for none, and for a type not known. */
export function primitiveBroken(
  type: string,
  value: unknown,
  isOfService: boolean,
): string | undefined {
  const primitive = PRIMITIVES.get(type);
  if (primitive === undefined || primitive.takes(value)) return undefined;
  if (isOfService && primitive.takesOfService?.(value) === true) return undefined;
  return `must be ${primitive.rule}`;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isInt32(value: unknown): boolean {
  return (
    typeof value === 'number' &&
    Number.isInteger(value) &&
    value >= -INT32_MAX - 1 &&
    value <= INT32_MAX
  );
}

function matches(pattern: RegExp, value: unknown): boolean {
  return isText(value) && pattern.test(value);
}
