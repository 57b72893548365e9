/** Whether `text` has more than `maxBytes` bytes in UTF-8; a lone surrogate counts as U+FFFD. */
export function exceedsUtf8Bytes(text: string, maxBytes: number): boolean {
  const { length } = text;
  if (length > maxBytes) return true;
  // A code unit is at most three bytes: what is surely short enough isn't counted.
  if (length * 3 <= maxBytes) return false;
  let bytes = length;
  for (let index = 0; index < length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    if (isPairAt(text, index, unit)) {
      index += 1; // Two units, four bytes: the length has counted two, the line above two more.
    }
  }
  return bytes > maxBytes;
}

function isPairAt(text: string, index: number, unit: number): boolean {
  if ((unit & 0xfc00) !== 0xd800) return false;
  return (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00;
}
