// @ts-check
// Hostile control messages: golden vectors taken apart into JSON tokens and put together wrongly,
// given to the parsers of all four senders.
import { parserOf } from '../check-vectors.mjs';

/** @typedef {import('./random.mjs').Random} Random */
/** @typedef {ReturnType<typeof parserOf>} Parser */
/** @typedef {{ tokens: readonly string[], parser: number }} Base `parser`: which of the four */

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|[[\]{}:,]|[a-z]+|\s+|./gsu;
/** Longer vectors try the bounds, and are slow: one input in so many is made from one. */
const LONG_CHARS = 600;
const LONG_ONE_IN = 500;
const RECHECK_ONE_IN = 16;
const MAX_DETAIL_CHARS = 200;
/** JSON writes a character in at most six. */
const MAX_GROWTH = 6;
/** Digits that an integer written with an exponent may grow by. */
const MAX_DIGITS = 1000;

const LITERALS = [
  ...['null', 'true', 'false', '0', '1', '-1', '-0', '1.5', '1e0', '1E400', '1e-400', '2'],
  ...['255', '256', '65535', '65536', '4294967295', '4294967296', '9007199254740991'],
  ...['9007199254740992', '18446744073709551615', '99999999999999999999999'],
  ...['""', '"x"', '"1"', '"0"', '"00"', '"18446744073709551615"', '"18446744073709551616"'],
  ...['"\\u0000"', '"\\ud800"', '"\\u00e9"', '"🚚"', '"__proto__"', '"constructor"', '"ws://a"'],
  ...['[]', '[[]]', '{}', '[null]', '[{}]', '[0]', '{"__proto__":{"streamId":1}}', '{"type":1}'],
  ...['[{"streamId":1,"received":1,"durable":1}]', '[{"streamId":1,"durableSequence":0}]'],
  ...['["opus"]', '{"codecs":["opus"],"maxStreams":1,"bufferFrames":1}', 'NaN', 'undefined', '{'],
];

/** Makes inputs and judges what the parsers do with them. */
export class ControlTarget {
  name = 'control';
  accepted = 0;
  refused = 0;
  #codec;
  #random;
  /** @type {readonly Parser[]} */
  #parsers;
  /** Good ones. @type {Base[]} */
  #short = [];
  /** @type {Base[]} */
  #long = [];
  /** Those that must be refused as they are. @type {Base[]} */
  #bad = [];
  /** Strings of the protocol: member names, types, words. @type {readonly string[]} */
  #words;
  #text = '';

  /**
   * @param {import('../check-vectors.mjs').Codec} codec
   * @param {import('../check-vectors.mjs').Vectors} vectors
   * @param {Random} random
   */
  constructor(codec, { control }, random) {
    this.#codec = codec;
    this.#random = random;
    const sides = ['host host', 'host signaling', 'media host', 'media worker'];
    this.#parsers = [
      parserOf(codec, 'host', 'host'),
      parserOf(codec, 'host', 'signaling'),
      parserOf(codec, 'media', 'host'),
      parserOf(codec, 'media', 'worker'),
    ];
    /** @type {Set<string>} */
    const words = new Set();
    for (const vector of [...control.valid, ...control.invalid]) {
      const { link, from, text } = vector;
      const base = { tokens: text.match(TOKEN) ?? [], parser: sides.indexOf(`${link} ${from}`) };
      if (text.length > LONG_CHARS) this.#long.push(base);
      else if ('code' in vector) this.#bad.push(base);
      else this.#short.push(base);
      for (const token of base.tokens) {
        if (token.startsWith('"') && token.length < 40) words.add(token);
      }
    }
    this.#words = [...words];
  }

  /** The input that `step` made last, UTF-8 in hex. */
  get input() {
    return Buffer.from(this.#text).toString('hex');
  }

  /**
   * One input; returns what is wrong, if anything.
   * @returns {string | undefined}
   */
  step() {
    const random = this.#random;
    const base = random.pick(this.#anyPool());
    const tokens = [...base.tokens];
    for (let changes = random.below(4); changes > 0; changes -= 1) this.#change(tokens);
    this.#text = tokens.join('');
    if (random.oneIn(6)) this.#text = this.#editText(this.#text);
    const parser = random.oneIn(8) ? random.below(4) : base.parser;
    return this.#judge(this.#parsers[parser] ?? parserOf(this.#codec, 'host', 'host'));
  }

  #anyPool() {
    if (this.#random.oneIn(LONG_ONE_IN)) return this.#long;
    return this.#random.oneIn(6) ? this.#bad : this.#short;
  }

  /** @param {string[]} tokens */
  #change(tokens) {
    const random = this.#random;
    const at = random.below(tokens.length + 1);
    switch (random.below(9)) {
      case 0:
        tokens[at] = random.pick(LITERALS);
        return;
      case 1:
        tokens[at] = random.pick(this.#words);
        return;
      case 2:
        tokens.splice(at, 1 + random.below(4));
        return;
      case 3:
        tokens.splice(at, 0, random.pick(LITERALS));
        return;
      case 4:
        // A value after a colon: the JSON stays whole, the message does not.
        return this.#changeValue(tokens, random.pick(LITERALS));
      case 5:
        return this.#changeValue(tokens, this.#anyNumber());
      case 6:
        // Another member, at the start of the object.
        tokens.splice(1, 0, random.pick(this.#words), ':', random.pick(LITERALS), ',');
        return;
      case 7: {
        const from = random.below(tokens.length + 1);
        tokens.splice(at, 0, ...tokens.slice(from, from + 1 + random.below(12)));
        return;
      }
      default: {
        const other = random.pick(this.#short).tokens;
        const from = random.below(other.length + 1);
        tokens.splice(at, 0, ...other.slice(from, from + 1 + random.below(12)));
      }
    }
  }

  /** @param {string[]} tokens @param {string} value */
  #changeValue(tokens, value) {
    const start = this.#random.below(tokens.length + 1);
    const colon = tokens.indexOf(':', start);
    if (colon !== -1) tokens[colon + 1] = value;
  }

  #anyNumber() {
    const random = this.#random;
    const number = String(random.bits() / (random.oneIn(2) ? 1 : 1 << random.below(31)));
    return random.oneIn(2) ? `"${number}"` : number;
  }

  /** @param {string} text */
  #editText(text) {
    const random = this.#random;
    const at = random.below(text.length + 1);
    switch (random.below(5)) {
      case 0:
        return text.slice(0, at);
      case 1:
        return text.slice(0, at) + String.fromCharCode(random.bits() & 0xffff) + text.slice(at + 1);
      case 2:
        return text.slice(0, at) + text.slice(at + 1 + random.below(3));
      case 3:
        return (
          text.slice(0, at) +
          random.pick(['{', '[', '"', '\\', '}', ']', ',', ':', ' ', '\0']) +
          text.slice(at)
        );
      default: {
        const depth = random.oneIn(2000) ? 20_000 : random.below(20);
        return text.slice(0, at) + '['.repeat(depth) + ']'.repeat(depth) + text.slice(at);
      }
    }
  }

  /**
   * @param {Parser} parse
   * @returns {string | undefined}
   */
  #judge(parse) {
    const random = this.#random;
    const text = this.#text;
    const parsed = parse(text);
    if (!parsed.ok) {
      this.refused += 1;
      // JSON.parse is slow to say no: it is asked a second time for one in so many.
      return judgeRefusal(text, parsed, random.oneIn(RECHECK_ONE_IN));
    }
    this.accepted += 1;
    const { writeMessage } = this.#codec;
    const written = writeMessage(parsed.message);
    if (written.length > MAX_GROWTH * text.length + MAX_DIGITS) return 'the message has grown';
    const again = parse(written);
    if (!again.ok) return `what is written is refused: ${again.code}, ${again.detail}`;
    if (writeMessage(again.message) !== written) return 'what is written is read otherwise';
    return differenceOf(parsed.message, JSON.parse(text), 0);
  }
}

/**
 * @param {string} text
 * @param {{ readonly code: string, readonly detail: string }} refusal
 * @param {boolean} recheck
 */
function judgeRefusal(text, { code, detail }, recheck) {
  if (detail.length > MAX_DETAIL_CHARS) return 'the detail is long';
  switch (code) {
    case 'too_large':
      return Buffer.byteLength(text) > 65_536 ? undefined : 'too_large, and is not';
    case 'invalid_json':
      return recheck && isObject(text) ? 'invalid_json, and is an object' : undefined;
    case 'invalid_message':
    case 'unsupported_type':
    case 'unsupported_version':
      return isObject(text) ? undefined : `${code}, and is no object`;
    default:
      return `an unknown code: ${code}`;
  }
}

/** @param {string} text */
function isObject(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/**
 * What an accepted message holds that the text does not say, or that no message may hold.
 * @param {unknown} value
 * @param {unknown} said
 * @param {number} depth
 * @returns {string | undefined}
 */
function differenceOf(value, said, depth) {
  if (depth > 4) return 'the message is deep';
  if (typeof value === 'number') {
    if (value !== said) return 'a number is another';
    return Number.isSafeInteger(value) && value >= 0 ? undefined : 'a number is no natural one';
  }
  if (typeof value !== 'object' || value === null) {
    return value === said ? undefined : 'a value is another';
  }
  if (typeof said !== 'object' || said === null) return 'an object is made up';
  if (Object.getPrototypeOf(value) !== Object.getPrototypeOf(said)) return 'a prototype is another';
  if (Array.isArray(value) && Array.isArray(said) && value.length !== said.length) {
    return 'an array has another length';
  }
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(said, key)) return `the member ${key} is made up`;
    const difference = differenceOf(Reflect.get(value, key), Reflect.get(said, key), depth + 1);
    if (difference !== undefined) return difference;
  }
  return undefined;
}
