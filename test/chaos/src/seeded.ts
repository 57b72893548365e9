/**
 * Numbers from 0 to 1, the same for the same seed (LCG of Numerical Recipes), so that a failure can
 * be made again.
 */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
