/** A word as a recognizer heard it. Times are ms on the call's media clock. */
export interface TimedWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** Where a word stands in a text: offsets of its first character and of the one behind it. */
export interface WordPlace {
  readonly start: number;
  readonly end: number;
}

/**
 * Where each word stands in a text that was made of them, perhaps with other case and punctuation;
 * undefined when a word is not there, so that nothing can be said.
 */
export function placesOfWords(
  text: string,
  words: readonly TimedWord[],
): readonly WordPlace[] | undefined {
  const haystack = text.toLowerCase();
  // Some letters are two in lower case: then offsets are not those of the text.
  if (haystack.length !== text.length || words.length === 0) return undefined;
  const places: WordPlace[] = [];
  let from = 0;
  for (const word of words) {
    const needle = word.text.trim().toLowerCase();
    const start = haystack.indexOf(needle, from);
    if (start < 0 || needle === '') return undefined;
    from = start + needle.length;
    places.push({ start, end: from });
  }
  return places;
}
