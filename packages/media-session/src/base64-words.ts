const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Character code by value. */
const CODES: Uint8Array = Uint8Array.from(DIGITS, (digit) => digit.charCodeAt(0));

/** Value by character code; 0 for what is no digit. */
const VALUES: Uint8Array = new Uint8Array(128);
for (let value = 0; value < DIGITS.length; value += 1) VALUES[DIGITS.charCodeAt(value)] = value;

const WORD_BYTES = 4;

/**
 * 32-bit words as base64 (RFC 4648) without padding; zeros at the end are left out.
 *
 * @param words a few thousand at most
 */
export function wordsToBase64(words: Int32Array): string {
  let count = words.length;
  while (count > 0 && words[count - 1] === 0) count -= 1;
  const bytes = new Uint8Array(words.buffer, words.byteOffset, count * WORD_BYTES);
  const codes = new Uint8Array(Math.ceil(bytes.length / 3) * 4);
  for (let at = 0, next = 0; at < bytes.length; at += 3, next += 4) {
    const bits = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    codes[next] = CODES[bits >> 18]!;
    codes[next + 1] = CODES[(bits >> 12) & 63]!;
    codes[next + 2] = CODES[(bits >> 6) & 63]!;
    codes[next + 3] = CODES[bits & 63]!;
  }
  // At once: a text that grows by characters costs six times as much, with its way into JSON.
  const length = Math.ceil((bytes.length * 4) / 3);
  return Reflect.apply(String.fromCharCode, undefined, codes.subarray(0, length));
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
