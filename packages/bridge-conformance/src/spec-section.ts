/** Where the rules of a letter stand in the specification. */
const SECTIONS: Readonly<Record<string, string>> = {
  U: '1.1',
  O: '2',
  J: '3',
  H: '3.3',
  M: '3.6',
  T: '4',
  F: '5',
  Q: '5',
  R: '6',
  C: '7',
  W: '8.3',
  P: '9.1',
  X: '9.2',
  V: '11',
};

/** Rules that stand elsewhere than the others of their letter. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'U-12': '1.2',
  'U-13': '1.2',
  'U-14': '1.2',
  'U-15': '1.2',
  'W-1': '8.1',
  'W-2': '8.1',
  'W-3': '8.1',
  'W-4': '8.1',
};

/** The rule of the specification that a check is for: `F-8` for `F-8.opus-long`. */
export function specRuleOf(id: string): string {
  const dot = id.indexOf('.');
  return dot === -1 ? id : id.slice(0, dot);
}

/** The section in which that rule stands, such as `3.6`. */
export function sectionOf(id: string): string {
  const rule = specRuleOf(id);
  return EXCEPTIONS[rule] ?? SECTIONS[rule.slice(0, rule.indexOf('-'))] ?? '';
}
