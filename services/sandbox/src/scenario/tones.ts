/** Graph's tones (`microsoft.graph.tone`). */
export const TONES = [
  'tone0',
  'tone1',
  'tone2',
  'tone3',
  'tone4',
  'tone5',
  'tone6',
  'tone7',
  'tone8',
  'tone9',
  'star',
  'pound',
  'a',
  'b',
  'c',
  'd',
  'flash',
] as const;

/** One of Graph's tones. */
export type ToneName = (typeof TONES)[number];
