const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The codes of two characters, of which the first is in the lower byte, by value: 12 bits. */
const PAIRS: Uint16Array = Uint16Array.from({ length: 1 << 12 }, (_, value) => {
  return DIGITS.charCodeAt(value >> 6) | (DIGITS.charCodeAt(value & 63) << 8);
});

/** Value by character code; 0 for what is no digit. */
const VALUES: Uint8Array = new Uint8Array(128);
for (let value = 0; value < DIGITS.length; value += 1) VALUES[DIGITS.charCodeAt(value)] = value;

const WORD_BYTES = 4;

/** Every runtime has it (WHATWG Encoding), though it is not of the language. */
declare class TextDecoder {
  decode(bytes: Uint8Array): string;
}

/** Makes a text at once: one that grows, or whose codes are arguments, costs several times as much. */
const TEXT = new TextDecoder();

/** Codes on their way into a text; grows to what was asked for. */
let pairs: Uint16Array = new Uint16Array(0);

/**
 * 32-bit words as base64 (RFC 4648) without padding; zeros at the end are left out.
 *
 * @param words a few thousand at most
 */
export function wordsToBase64(words: Int32Array): string {
  let count = words.length;
  while (count > 0 && words[count - 1] === 0) count -= 1;
  const bytes = new Uint8Array(words.buffer, words.byteOffset, count * WORD_BYTES);
  const pairCount = Math.ceil(bytes.length / 3) * 2;
  if (pairs.length < pairCount) pairs = new Uint16Array(pairCount);
  for (let at = 0, next = 0; at < bytes.length; at += 3, next += 2) {
    const bits = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    pairs[next] = PAIRS[bits >> 12]!;
    pairs[next + 1] = PAIRS[bits & 0xfff]!;
  }
  const length = Math.ceil((bytes.length * 4) / 3);
  return TEXT.decode(new Uint8Array(pairs.buffer, 0, length));
}

/** Whether a text is of whole words, and of no more than `maxWords`. */
export function isBase64Words(text: string, maxWords: number): boolean {
  if (text.length > Math.ceil((maxWords * WORD_BYTES * 4) / 3)) return false;
  const bytes = Math.floor((text.length * 3) / 4);
  return bytes % WORD_BYTES === 0 && text.length % 4 !== 1 && /^[A-Za-z0-9+/]*$/.test(text);
}

/** The reverse of `wordsToBase64`, of a text that `isBase64Words`; words that it does not tell are 0. */
export function base64ToWords(text: string, out: Int32Array): void {
  out.fill(0);
  const bytes = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
  for (let i = 0, at = 0; i < text.length; i += 4, at += 3) {
    const bits =
      (valueAt(text, i) << 18) |
      (valueAt(text, i + 1) << 12) |
      (valueAt(text, i + 2) << 6) |
      valueAt(text, i + 3);
    // Beyond the text are zeros, and beyond the memory nothing is kept.
    bytes[at] = bits >> 16;
    bytes[at + 1] = bits >> 8;
    bytes[at + 2] = bits;
  }
}

function valueAt(text: string, at: number): number {
  return at < text.length ? VALUES[text.charCodeAt(at) & 127]! : 0;
}
