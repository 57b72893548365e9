import { expect, test } from 'vitest';
import { formatTable } from '../src/table.js';

test('columns are as wide as their widest cell', () => {
  const rows = [
    ['', 'wasm', 'native'],
    ['silk16', '0.78', '0.586'],
  ];
  expect(formatTable(rows)).toBe('        wasm  native\nsilk16  0.78   0.586\n');
});

test('rows may be shorter than others', () => {
  expect(formatTable([['a'], ['b', 'c']])).toBe('a\nb  c\n');
});
