import type { RecognizedWord } from './recognizer.js';

/**
 * Words of a vendor in media time. Vendors' times may be anything: none ends before it begins, and they
 * are in order.
 *
 * @param mediaMs of a time of the vendor, ms.
 */
export function wordsInMediaTime(
  words: readonly RecognizedWord[],
  mediaMs: (ms: number) => number,
): RecognizedWord[] {
  return words
    .map((word) => ({
      ...word,
      startMs: mediaMs(word.startMs),
      endMs: mediaMs(Math.max(word.startMs, word.endMs)),
    }))
    .sort((one, other) => one.startMs - other.startMs);
}
