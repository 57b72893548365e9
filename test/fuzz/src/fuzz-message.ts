import type { FuzzSummary } from './fuzz-opus.js';

/** What the fuzzing process tells its parent. */
export type FuzzMessage =
  | { readonly kind: 'progress'; readonly runs: number }
  | { readonly kind: 'summary'; readonly summary: FuzzSummary }
  | { readonly kind: 'failure'; readonly code: string; readonly message: string };
