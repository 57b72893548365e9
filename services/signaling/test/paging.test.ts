import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Page, PageQuery } from '../src/rest/paging.js';
import { paged, pagedInOrder } from '../src/rest/paging.js';

const keys = fc.uniqueArray(fc.string({ minLength: 1, unit: 'binary' }), { maxLength: 30 });
const limit = fc.integer({ min: 1, max: 7 });

describe('pages by key', () => {
  it('hold what stays once, in order, whatever comes and goes between them', () => {
    fc.assert(
      fc.property(
        keys,
        keys,
        limit,
        fc.infiniteStream(fc.boolean()),
        (stay, change, most, coin) => {
          const changing = change.filter((key) => !stay.includes(key));
          const seen = allPages(most, (query) => {
            const now = [...stay, ...changing.filter(() => coin.next().value)];
            return paged(now, (key) => key, query);
          });
          expect(seen).toEqual([...new Set(seen)].sort(byCodeUnit));
          expect(seen.filter((key) => stay.includes(key))).toEqual([...stay].sort(byCodeUnit));
        },
      ),
    );
  });
});

describe('pages in order', () => {
  it('hold each once, in the order of the list', () => {
    fc.assert(
      fc.property(keys, limit, (list, most) => {
        expect(allPages(most, (query) => pagedInOrder(list, (key) => key, query))).toEqual(list);
      }),
    );
  });

  it('end when what the cursor names is gone', () => {
    const { next } = pagedInOrder(['a', 'b', 'c'], (key) => key, { limit: 1 });
    const page = pagedInOrder(['b', 'c'], (key) => key, { limit: 1, cursor: next.nextCursor });
    expect(page).toEqual({ items: [], next: {} });
  });
});

describe('a cursor', () => {
  it('is one that a page gave, or refused', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (cursor) => {
        const key = Buffer.from(cursor, 'base64url').toString();
        const isOurs = key !== '' && Buffer.from(key).toString('base64url') === cursor;
        const ask = (): unknown => paged(['a'], (one) => one, { limit: 1, cursor });
        if (isOurs) expect(ask).not.toThrow();
        else expect(ask).toThrow(expect.objectContaining({ code: 'invalid_cursor' }));
      }),
    );
  });
});

function allPages(most: number, page: (query: PageQuery) => Page<string>): string[] {
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const { items, next } = page({ limit: most, cursor });
    expect(items.length).toBeLessThanOrEqual(most);
    seen.push(...items);
    cursor = next.nextCursor;
  } while (cursor !== undefined);
  return seen;
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : 1;
}
