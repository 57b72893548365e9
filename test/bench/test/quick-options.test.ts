import { expect, test } from 'vitest';
import { parseQuickOptions } from '../src/quick-options.js';

test('defaults, and both options', () => {
  expect(parseQuickOptions('events', [])).toEqual({ json: false, quick: false });
  expect(parseQuickOptions('events', ['--quick', '--json'])).toEqual({ json: true, quick: true });
});

test.each([[['more']], [['--fast']]])('%j is refused', (args) => {
  expect(() => parseQuickOptions('signaling', args)).toThrow(
    expect.objectContaining({
      code: 'invalid_bench_options',
      fix: 'npm run bench -- signaling [--json] [--quick]',
    }),
  );
});
