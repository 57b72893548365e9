import type { z } from 'zod';
import { Problem } from './problem.js';

/**
 * The checked value of a request's `part`.
 *
 * @throws Problem 400 `invalid_request`, naming the fields at fault.
 */
export function validate<T>(
  schema: z.ZodType<T>,
  value: unknown,
  part: 'body' | 'query' | 'header',
): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => {
    const field = issue.path.join('.');
    return field === '' ? issue.message : `${field}: ${issue.message}`;
  });
  throw new Problem({
    status: 400,
    code: 'invalid_request',
    title: 'Invalid request',
    detail: `Cannot accept the request's ${part}: ${faults.join('; ')}`,
  });
}
