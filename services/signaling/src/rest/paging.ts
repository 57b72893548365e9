import { z } from 'zod';
import { Problem } from './problem.js';

/** Query of every list. */
export interface PageQuery {
  readonly limit: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
}

/** Part of a list, and what leads to the next part. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Empty on the last page. */
  readonly next: { readonly nextCursor?: string };
}

/** Fields of `PageQuery`, for queries with more. */
export const PAGE_FIELDS: {
  readonly limit: z.ZodType<number>;
  readonly cursor: z.ZodType<string | undefined>;
} = {
  limit: z.coerce.number().int().min(1).max(100).default(25).describe('Most that one page holds'),
  cursor: z.string().min(1).max(500).optional().describe('`nextCursor` of the page before'),
};

/** Checks `PageQuery`. */
export const pageQuery: z.ZodType<PageQuery> = z.object(PAGE_FIELDS);

/**
 * A page of a list that is at hand, by ascending key. What comes and goes between two pages
 * neither repeats nor hides what stays.
 *
 * @param keyOf unique within the list.
 * @throws Problem 400 `invalid_cursor`.
 */
export function paged<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  { limit, cursor }: PageQuery,
): Page<T> {
  const after = cursor === undefined ? undefined : keyOfCursor(cursor);
  const rest = items
    .map((item) => ({ item, key: keyOf(item) }))
    .filter(({ key }) => after === undefined || key > after)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  const isLast = last === undefined || page.length === rest.length;
  return {
    items: page.map(({ item }) => item),
    next: isLast ? {} : { nextCursor: cursorOf(last.key) },
  };
}

/**
 * A page of a list in its own order, to which items come and from which they go; empty, and the
 * last, when what `cursor` names is gone.
 */
export function pagedInOrder<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  { limit, cursor }: PageQuery,
): Page<T> {
  const after = cursor === undefined ? undefined : keyOfCursor(cursor);
  const start = after === undefined ? 0 : items.findIndex((item) => keyOf(item) === after) + 1;
  if (after !== undefined && start === 0) return { items: [], next: {} };
  const page = items.slice(start, start + limit);
  const last = page.at(-1);
  const isLast = last === undefined || start + page.length === items.length;
  return { items: page, next: isLast ? {} : { nextCursor: cursorOf(keyOf(last)) } };
}

function cursorOf(key: string): string {
  return Buffer.from(key).toString('base64url');
}

function keyOfCursor(cursor: string): string {
  const key = Buffer.from(cursor, 'base64url').toString();
  if (key !== '' && Buffer.from(key).toString('base64url') === cursor) return key;
  throw new Problem({
    status: 400,
    code: 'invalid_cursor',
    title: 'Invalid request',
    detail: 'Cannot list: cursor must be the nextCursor of the page before, got another',
  });
}
