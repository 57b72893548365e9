import { decodeOnce } from './url-parts.js';

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** `/v3/__<the URL, some characters as stars>__;<those characters, base64>!!…` */
const V3 = /\/v3\/__(.+?)__;([\w+/=-]*)/s;

/**
 * The link in a URL of Proofpoint's URL Defense, of version 2 or 3; undefined when it is no such
 * URL. Both replace characters that mail programs would spoil.
 */
export function proofpointTarget(
  path: string,
  queryOfLink: string | undefined,
  tail: string,
): string | undefined {
  if (/^\/v2\//.test(path)) {
    return queryOfLink === undefined
      ? undefined
      : decodeOnce(queryOfLink.replaceAll('-', '%').replaceAll('_', '/'));
  }
  const [, starred = '', replaced = ''] = V3.exec(`${path}${tail}`) ?? [];
  return starred === '' ? undefined : withoutStars(starred, base64Text(replaced));
}

/** A star stands for one character, `**` and a letter for a run of as many as the letter says. */
function withoutStars(starred: string, characters: string): string {
  let at = 0;
  return starred.replace(/\*(?:\*([\w-]))?/g, (_, letter: string | undefined) => {
    const count = letter === undefined ? 1 : BASE64.indexOf(letter) + 2;
    at += count;
    return characters.slice(at - count, at);
  });
}

/** Characters of one byte each: what is replaced in URLs is ASCII. */
function base64Text(encoded: string): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const letter of encoded.replaceAll('+', '-').replaceAll('/', '_')) {
    const value = BASE64.indexOf(letter);
    if (value < 0) break;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    text += String.fromCharCode((held >> bits) & 0xff);
  }
  return text;
}
