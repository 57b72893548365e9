// @ts-check
// Fails when the codec differs from the golden vectors by a byte, when a message, an optional
// member or a failure of the protocol has no vector, or when the specification and the vectors
// name different rules. Run it after `npx tsc -b packages/bridge-protocol`.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

/** @typedef {typeof import('./src/index.js')} Codec */
/** @typedef {'host' | 'media'} LinkName */
/** @typedef {'host' | 'signaling' | 'worker'} From */
/** @typedef {{ readonly type: string, readonly [member: string]: unknown }} Message */
/**
 * @typedef {object} Frame
 * @property {number} streamId
 * @property {number} codec
 * @property {number} flags
 * @property {number} sequence
 * @property {string} captureTicks
 * @property {string} payloadHex
 */
/** @typedef {{ name: string, kind: 1 | 2, hex: string, frames: Frame[] }} ValidFrames */
/** @typedef {{ name: string, kind: 1 | 2, hex: string, rule: string, code: string, closeCode: number }} InvalidFrames */
/** @typedef {{ name: string, link: LinkName, from: From, text: string, message: Message, canonical: boolean }} ValidControl */
/** @typedef {{ name: string, link: LinkName, from: From, text: string, rule: string, code: string, closeCode: number | null, answer?: Message }} InvalidControl */
/**
 * @typedef {object} Vectors
 * @property {{ valid: ValidFrames[], invalid: InvalidFrames[] }} frames
 * @property {{ valid: ValidControl[], invalid: InvalidControl[] }} control
 */
/** @typedef {Readonly<Record<string, { readonly [type: string]: object }>>} Tables schemas by `${link} ${from}` */

/** What the specification (README §3, §9.2) closes with; null: the link goes on. */
const CLOSE_CODE_OF_CONTROL = {
  invalid_json: 4400,
  invalid_message: 4400,
  unsupported_type: null,
  unsupported_version: 4426,
  too_large: 4413,
};

const FRAME_FAILURES = [
  'too_large',
  'truncated',
  'unsupported_version',
  'unsupported_kind',
  'too_many_frames',
  'reserved_stream_id',
  'unsupported_codec',
  'invalid_payload_length',
  'trailing_bytes',
];

/**
 * The vectors, with their parts joined.
 * @returns {Vectors}
 */
export function readVectors() {
  const frames = readJson('vectors/frames.json');
  const control = readJson('vectors/control.json');
  for (const vector of [...frames.valid, ...frames.invalid]) {
    vector.hex ??= joined(vector.hexParts, 'hex');
  }
  for (const vector of frames.valid) {
    vector.frames ??= vector.framesParts.flatMap(
      /** @param {{ frame: Frame, times: number }} part */
      ({ frame, times }) => Array.from({ length: times }, () => frame),
    );
  }
  for (const vector of [...control.valid, ...control.invalid]) {
    vector.text ??= joined(vector.textParts, 'text');
  }
  for (const vector of control.valid) vector.message ??= JSON.parse(vector.text);
  return { frames, control };
}

/**
 * Every difference between the codec and the vectors, as one line each.
 * @param {Codec} codec
 * @param {Vectors} vectors
 * @returns {string[]}
 */
export function findDrift(codec, { frames, control }) {
  return [
    ...frames.valid.flatMap((v) => validFramesDrift(codec, v)),
    ...frames.invalid.flatMap((v) => invalidFramesDrift(codec, v)),
    ...control.valid.flatMap((v) => validControlDrift(codec, v)),
    ...control.invalid.flatMap((v) => invalidControlDrift(codec, v)),
  ];
}

/**
 * What the vectors leave out, as one line each.
 * @param {Tables} tables
 * @param {Vectors} vectors
 * @returns {string[]}
 */
export function findHoles(tables, { frames, control }) {
  /** @type {string[]} */
  const holes = [];
  for (const [side, schemas] of Object.entries(tables)) {
    const valid = control.valid.filter((v) => `${v.link} ${v.from}` === side);
    const invalid = control.invalid.filter((v) => `${v.link} ${v.from}` === side);
    for (const [type, schema] of Object.entries(schemas)) {
      const seen = valid.filter((v) => v.message.type === type);
      if (seen.length === 0) holes.push(`${side}: ${type} has no valid vector`);
      for (const member of membersOf(schema)) {
        if (seen.some((v) => Object.hasOwn(v.message, member))) continue;
        holes.push(`${side}: ${type}.${member} is in no valid vector`);
      }
    }
    for (const code of Object.keys(CLOSE_CODE_OF_CONTROL)) {
      if (code === 'too_large' || invalid.some((v) => v.code === code)) continue;
      if (
        code === 'unsupported_version' &&
        !Object.hasOwn(schemas, 'hello') &&
        !Object.hasOwn(schemas, 'welcome')
      )
        continue;
      holes.push(`${side}: ${code} has no invalid vector`);
    }
  }
  for (const kind of [1, 2]) {
    for (const code of FRAME_FAILURES) {
      if (frames.invalid.some((v) => v.kind === kind && v.code === code)) continue;
      holes.push(`kind ${kind}: ${code} has no invalid vector`);
    }
    for (const codec of [0, 1, 2]) {
      const has = frames.valid.some(
        (v) => v.kind === kind && v.frames.some((frame) => frame.codec === codec),
      );
      if (!has) holes.push(`kind ${kind}: codec ${codec} is in no valid vector`);
    }
  }
  return holes;
}

/**
 * What is wrong with the ids of the rules, as one line each.
 * @param {string} specification
 * @param {Vectors} vectors
 * @returns {string[]}
 */
export function findRuleFaults(specification, { frames, control }) {
  const ids = Array.from(specification.matchAll(/^- \*\*([A-Z]-\d+)\*\* /gm), (m) => m[1] ?? '');
  const known = new Set(ids);
  const named = [...frames.invalid, ...control.invalid].map((v) => v.rule);
  const mentioned = Array.from(specification.matchAll(/\b[UOJHMTFQRCWPXV]-\d+\b/g), ([id]) => id);
  return [
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${id} is there twice`),
    ...[...new Set([...named, ...mentioned])]
      .filter((id) => !known.has(id))
      .map((id) => `${id} is named and does not exist`),
  ];
}

/**
 * @param {typeof import('./src/host-schemas.js')} host
 * @param {typeof import('./src/media-schemas.js')} media
 * @returns {Tables}
 */
export function tablesOf(host, media) {
  return {
    'host host': host.HOST_SCHEMAS,
    'host signaling': host.SIGNALING_SCHEMAS,
    'media host': media.MEDIA_HOST_SCHEMAS,
    'media worker': media.WORKER_SCHEMAS,
  };
}

/** @param {Codec} codec @param {ValidFrames} vector */
function validFramesDrift({ FrameCursor, FrameBatchWriter, LIMITS, splitTicks }, vector) {
  const name = `frames, kind ${vector.kind}, ${vector.name}`;
  const cursor = new FrameCursor(vector.kind);
  const error = cursor.open(bytesOf(vector.hex));
  if (error !== undefined) return [`${name}: refused with ${error.code}`];
  const drift = isDeepStrictEqual(readFrames(cursor), vector.frames)
    ? []
    : [`${name}: read otherwise`];
  const writer = new FrameBatchWriter(LIMITS.maxMessageBytes, vector.kind);
  for (const { streamId, codec, flags, sequence, captureTicks, payloadHex } of vector.frames) {
    const { high, low } = splitTicks(BigInt(captureTicks));
    const payload = codec === 0 ? null : bytesOf(payloadHex);
    if (!writer.append(streamId, codec, flags, sequence, high, low, payload)) {
      return [...drift, `${name}: the writer is full too early`];
    }
  }
  return hexOf(writer.finish()) === vector.hex ? drift : [...drift, `${name}: written otherwise`];
}

/** @param {Codec} codec @param {InvalidFrames} vector */
function invalidFramesDrift({ FrameCursor }, { name, kind, hex, code, closeCode }) {
  const error = new FrameCursor(kind).open(bytesOf(hex));
  if (error?.code === code && error.closeCode === closeCode) return [];
  const got = error === undefined ? 'taken' : `${error.code}, ${error.closeCode}`;
  return [`frames, kind ${kind}, ${name}: must be ${code}, ${closeCode}; got ${got}`];
}

/** @param {Codec} codec @param {ValidControl} vector */
function validControlDrift(codec, { name, link, from, text, message, canonical }) {
  const at = `${link} link, from ${from}, ${name}`;
  const parsed = parserOf(codec, link, from)(text);
  if (!parsed.ok) return [`${at}: refused with ${parsed.code} (${parsed.detail})`];
  const drift = isDeepStrictEqual(plain(parsed.message), message) ? [] : [`${at}: read otherwise`];
  const written = codec.writeMessage(
    /** @type {typeof parsed.message} */ (/** @type {unknown} */ (message)),
  );
  if (canonical && written !== text) drift.push(`${at}: written otherwise`);
  if (canonical && codec.writeMessage(parsed.message) !== text) {
    drift.push(`${at}: written otherwise when read before`);
  }
  return drift;
}

/** @param {Codec} codec @param {InvalidControl} vector */
function invalidControlDrift(codec, { name, link, from, text, code, closeCode, answer }) {
  const at = `${link} link, from ${from}, ${name}`;
  const parsed = parserOf(codec, link, from)(text);
  if (parsed.ok) return [`${at}: must be ${code}, got taken`];
  const drift = parsed.code === code ? [] : [`${at}: must be ${code}, got ${parsed.code}`];
  if (CLOSE_CODE_OF_CONTROL[parsed.code] !== closeCode) drift.push(`${at}: wrong close code`);
  if (answer !== undefined && answer['what'] !== undefined && answer['what'] !== parsed.detail) {
    drift.push(`${at}: answered otherwise`);
  }
  return drift;
}

/**
 * @param {Codec} codec
 * @param {LinkName} link
 * @param {From} from
 * @returns {(text: string) => import('./src/index.js').ParseResult<import('./src/index.js').MediaHostMessage | import('./src/index.js').WorkerMessage | import('./src/index.js').HostMessage | import('./src/index.js').SignalingMessage>}
 */
export function parserOf(codec, link, from) {
  if (link === 'media')
    return from === 'host' ? codec.parseMediaHostMessage : codec.parseWorkerMessage;
  return from === 'host' ? codec.parseHostMessage : codec.parseSignalingMessage;
}

/**
 * The rest of an open cursor, as the vectors spell frames.
 * @param {import('./src/index.js').FrameCursor} cursor
 * @returns {Frame[]}
 */
export function readFrames(cursor) {
  /** @type {Frame[]} */
  const frames = [];
  while (cursor.next()) {
    const start = cursor.payloadOffset;
    frames.push({
      streamId: cursor.streamId,
      codec: cursor.codec,
      flags: cursor.flags,
      sequence: cursor.sequence,
      captureTicks: ((BigInt(cursor.ticksHigh) << 32n) | BigInt(cursor.ticksLow)).toString(),
      payloadHex: hexOf(cursor.bytes.subarray(start, start + cursor.payloadLength)),
    });
  }
  return frames;
}

/** @param {string} hex */
export function bytesOf(hex) {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

/** @param {Uint8Array} bytes */
export function hexOf(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** @param {string} file */
export function readText(file) {
  return readFileSync(new URL(file, import.meta.url), 'utf8');
}

/** @param {string} file */
function readJson(file) {
  return JSON.parse(readText(file));
}

/**
 * @param {readonly { readonly [key: string]: unknown, readonly times?: number }[]} parts
 * @param {string} key
 */
function joined(parts, key) {
  return parts.map((part) => String(part[key]).repeat(part.times ?? 1)).join('');
}

/**
 * @param {object} schema
 * @returns {string[]}
 */
function membersOf(schema) {
  return 'shape' in schema && typeof schema.shape === 'object'
    ? Object.keys(schema.shape ?? {})
    : [];
}

/** @param {unknown} value */
function plain(value) {
  return JSON.parse(JSON.stringify(value));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const codec = await import(new URL('./dist/index.js', import.meta.url).href);
  const host = await import(new URL('./dist/host-schemas.js', import.meta.url).href);
  const media = await import(new URL('./dist/media-schemas.js', import.meta.url).href);
  const vectors = readVectors();
  const faults = [
    ...findDrift(codec, vectors),
    ...findHoles(tablesOf(host, media), vectors),
    ...findRuleFaults(readText('README.md'), vectors),
  ];
  for (const fault of faults) console.error(fault);
  const { frames, control } = vectors;
  const binary = frames.valid.length + frames.invalid.length;
  const text = control.valid.length + control.invalid.length;
  console.error(`vectors: ${binary} binary, ${text} control, ${faults.length} faults`);
  process.exit(faults.length === 0 ? 0 : 1);
}
