/** The sixteen signals of dual-tone multi-frequency dialling (ITU-T Q.23). */
export type Digit =
  | '0'
  | '1'
  | '2'
  | '3'
  | '4'
  | '5'
  | '6'
  | '7'
  | '8'
  | '9'
  | '*'
  | '#'
  | 'A'
  | 'B'
  | 'C'
  | 'D';

/** The low tones in Hz, one a row of the keypad, from the top. */
export const LOW_TONES_HZ: readonly number[] = [697, 770, 852, 941];

/** The high tones in Hz, one a column of the keypad, from the left. */
export const HIGH_TONES_HZ: readonly number[] = [1209, 1336, 1477, 1633];

/** The keypad row by row: the digit of low tone `l` and high tone `h` is at `4 * l + h`. */
export const KEYPAD: readonly Digit[] = [
  ...(['1', '2', '3', 'A'] as const),
  ...(['4', '5', '6', 'B'] as const),
  ...(['7', '8', '9', 'C'] as const),
  ...(['*', '0', '#', 'D'] as const),
];

/** Every digit once, in the order in which they are usually listed. */
export const DIGITS: readonly Digit[] = [
  ...(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const),
  ...(['*', '#', 'A', 'B', 'C', 'D'] as const),
];

/** The low and the high tone of a digit, in Hz. */
export function toneFrequencies(digit: Digit): readonly [number, number] {
  const index = KEYPAD.indexOf(digit);
  return [LOW_TONES_HZ[index >> 2]!, HIGH_TONES_HZ[index & 3]!];
}
