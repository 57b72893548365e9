import type { Digit } from './digit.js';
import { DIGITS } from './digit.js';

/** A tone as Microsoft Graph spells it (`toneInfo.tone`), without `flash`, which is no digit. */
export type GraphTone =
  | 'tone0'
  | 'tone1'
  | 'tone2'
  | 'tone3'
  | 'tone4'
  | 'tone5'
  | 'tone6'
  | 'tone7'
  | 'tone8'
  | 'tone9'
  | 'star'
  | 'pound'
  | 'a'
  | 'b'
  | 'c'
  | 'd';

const GRAPH_TONES: Readonly<Record<Digit, GraphTone>> = {
  '0': 'tone0',
  '1': 'tone1',
  '2': 'tone2',
  '3': 'tone3',
  '4': 'tone4',
  '5': 'tone5',
  '6': 'tone6',
  '7': 'tone7',
  '8': 'tone8',
  '9': 'tone9',
  '*': 'star',
  '#': 'pound',
  A: 'a',
  B: 'b',
  C: 'c',
  D: 'd',
};

const DIGITS_BY_TONE: ReadonlyMap<string, Digit> = new Map(
  DIGITS.map((digit) => [GRAPH_TONES[digit], digit]),
);

/** The digit of a Graph tone; undefined for `flash` and for what this version does not know. */
export function digitOfGraphTone(tone: string): Digit | undefined {
  return DIGITS_BY_TONE.get(tone);
}

/** Graph's name of a digit. */
export function graphToneOf(digit: Digit): GraphTone {
  return GRAPH_TONES[digit];
}
