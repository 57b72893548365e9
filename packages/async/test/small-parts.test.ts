import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffDelayMs } from '../src/backoff.js';
import { CloseStack } from '../src/close-stack.js';
import { CodedError } from '../src/coded-error.js';

describe('backoffDelayMs', () => {
  it('stays within its bound and never exceeds the maximum (property)', () => {
    const options = { baseMs: 100, maxMs: 5_000 };
    fc.assert(
      fc.property(
        fc.nat(1_000),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, random) => {
          const delayMs = backoffDelayMs(attempt, random, options);
          expect(delayMs).toBeGreaterThanOrEqual(0);
          expect(delayMs).toBeLessThanOrEqual(Math.min(5_000, 100 * 2 ** attempt));
        },
      ),
    );
  });
});

describe('CloseStack', () => {
  it('closes in reverse order, once, also when a closer fails', async () => {
    const closed: string[] = [];
    const stack = new CloseStack();
    stack.defer(() => void closed.push('first opened'));
    stack.defer(() => Promise.reject(new Error('stuck')));
    stack.defer(async () => void closed.push('last opened'));
    const closing = stack.close();
    expect(stack.close()).toBe(closing);
    await expect(closing).rejects.toThrow(AggregateError);
    expect(closed).toEqual(['last opened', 'first opened']);
  });
});

describe('CodedError', () => {
  it('carries its code, fix and cause', () => {
    const cause = new Error('why');
    const error = new CodedError('port_taken', 'Cannot listen', { cause, fix: 'Use port 0.' });
    expect([error.code, error.fix, error.cause, error.message]).toEqual([
      'port_taken',
      'Use port 0.',
      cause,
      'Cannot listen',
    ]);
  });
});
