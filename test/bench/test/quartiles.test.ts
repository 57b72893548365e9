import { expect, test } from 'vitest';
import { quantile, quartilesOf } from '../src/quartiles.js';

test('of an odd number of samples, in any order', () => {
  expect(quartilesOf([5, 1, 4, 2, 3])).toEqual({ low: 2, median: 3, high: 4 });
});

test('sorts by value, not by text', () => {
  expect(quantile([10, 9, 100], 0.5)).toBe(10);
});

test('a quantile of few samples is the nearest one', () => {
  expect(quantile([1, 2], 0.99)).toBe(2);
  expect(quantile([7], 0.01)).toBe(7);
});

test('of none there is none', () => {
  expect(quantile([], 0.5)).toBeNaN();
});
