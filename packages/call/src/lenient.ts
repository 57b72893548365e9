import { z } from 'zod';

/**
 * Schemas that never fail: Graph leaves properties out, sends null for them, and writes numbers
 * as text. What is absent or of another kind is undefined.
 */

/** A non-empty text. */
export const text: z.ZodType<string | undefined> = z.string().min(1).optional().catch(undefined);

export const flag: z.ZodType<boolean | undefined> = z
  .union([z.boolean(), z.literal(['true', 'false', 'True', 'False']).transform(isTrue)])
  .optional()
  .catch(undefined);

/** A safe integer, also as text. */
export const integer: z.ZodType<number | undefined> = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^-?\d{1,16}$/)
      .transform(Number),
  ])
  .refine(Number.isSafeInteger)
  .optional()
  .catch(undefined);

/** A text, or a number written as text: for ids that are numbers. */
export const numericId: z.ZodType<string | undefined> = z
  .union([z.string().min(1), z.number().refine(Number.isSafeInteger).transform(String)])
  .optional()
  .catch(undefined);

// The same without a schema, for what is read a thousand times a roster.

/** `value` when it is a non-empty text. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** `value` as a flag, also when it is written as text. */
export function flagOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  return typeof value === 'string' ? flag.parse(value) : undefined;
}

/** `value` as a safe integer, also when it is written as text. */
export function integerOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
  return typeof value === 'string' ? integer.parse(value) : undefined;
}

/** `value` as text, when it is one or a safe integer. */
export function numericIdOf(value: unknown): string | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : textOf(value);
}

/** `value` as an object, or undefined. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return isObject(value) ? value : undefined;
}

/** The known one of `values` that a text names, whatever its case. */
export function oneOf<T extends string>(
  values: readonly T[],
  value: string | undefined,
): T | undefined {
  const wanted = value?.toLowerCase();
  return values.find((known) => known.toLowerCase() === wanted);
}

/** A copy without the properties that are undefined. */
export function defined<T extends object>(properties: T): Defined<T> {
  const entries = Object.entries(properties).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Defined<T>;
}

/** `T` with what may be undefined made optional. */
export type Defined<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

function isTrue(written: string): boolean {
  return written.toLowerCase() === 'true';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
