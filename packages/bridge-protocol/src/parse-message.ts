import type { HostMessage, SignalingMessage } from './host-messages.js';
import { HOST_SCHEMAS, SIGNALING_SCHEMAS } from './host-schemas.js';
import type { MediaHostMessage, WorkerMessage } from './media-messages.js';
import { MEDIA_HOST_SCHEMAS, WORKER_SCHEMAS } from './media-schemas.js';
import { LIMITS, PROTOCOL_VERSION } from './protocol.js';
import type { SchemaTable } from './schema-table.js';
import { exceedsUtf8Bytes } from './utf8.js';

/** A message, or why the text is none. */
export type ParseResult<Message> =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly code: ParseFailure; readonly detail: string };

/**
 * - `too_large`: close with 4413.
 * - `invalid_json`, `invalid_message`: close with 4400.
 * - `unsupported_version`: a `hello` or `welcome` of another version; close with 4426.
 * - `unsupported_type`: ignore the message; a worker answers `unsupported`. `detail` is the type.
 */
export type ParseFailure =
  | 'invalid_json'
  | 'invalid_message'
  | 'unsupported_type'
  | 'unsupported_version'
  | 'too_large';

const MAX_TYPE_CHARS = 64;

/** Parses what a host sends to a worker. Never throws; unknown fields are dropped. */
export function parseMediaHostMessage(text: string): ParseResult<MediaHostMessage> {
  return parseMessage<MediaHostMessage>(text, MEDIA_HOST_SCHEMAS);
}

/** Parses what a worker sends to a host. Never throws; unknown fields are dropped. */
export function parseWorkerMessage(text: string): ParseResult<WorkerMessage> {
  return parseMessage<WorkerMessage>(text, WORKER_SCHEMAS);
}

/** Parses what a host sends to signaling. Never throws; unknown fields are dropped. */
export function parseHostMessage(text: string): ParseResult<HostMessage> {
  return parseMessage<HostMessage>(text, HOST_SCHEMAS);
}

/** Parses what signaling sends to a host. Never throws; unknown fields are dropped. */
export function parseSignalingMessage(text: string): ParseResult<SignalingMessage> {
  return parseMessage<SignalingMessage>(text, SIGNALING_SCHEMAS);
}

/** The text of a control message, as it goes on the wire. */
export function writeMessage(
  message: MediaHostMessage | WorkerMessage | HostMessage | SignalingMessage,
): string {
  return JSON.stringify(message);
}

function parseMessage<Message extends { readonly type: string }>(
  text: string,
  schemas: SchemaTable<Message>,
): ParseResult<Message> {
  if (exceedsUtf8Bytes(text, LIMITS.maxJsonBytes)) {
    return failed('too_large', `a message has at most ${LIMITS.maxJsonBytes} bytes`);
  }
  const value = parseObject(text);
  if (value === undefined) return failed('invalid_json', 'a message is a JSON object');
  const { type } = value;
  if (typeof type !== 'string') return failed('invalid_message', 'type is not a string');
  if (!hasSchema(schemas, type)) return failed('unsupported_type', type.slice(0, MAX_TYPE_CHARS));
  if (isOtherVersion(value)) {
    return failed('unsupported_version', `the version is ${PROTOCOL_VERSION}`);
  }
  const result = schemas[type].safeParse(value);
  if (result.success) return { ok: true, message: result.data };
  // The path, never the value: values may be personal data and end in a log.
  const path = result.error.issues[0]?.path.join('.') ?? '';
  return failed('invalid_message', `${type}: ${path === '' ? 'the message' : path} is not valid`);
}

function parseObject(
  text: string,
): { readonly [key: string]: unknown; readonly type?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasSchema<Table extends object>(
  schemas: Table,
  type: string,
): type is Extract<keyof Table, string> {
  return Object.hasOwn(schemas, type);
}

function isOtherVersion(value: { readonly [key: string]: unknown }): boolean {
  const { type, version } = value;
  if (type !== 'hello' && type !== 'welcome') return false;
  return Number.isInteger(version) && version !== PROTOCOL_VERSION;
}

function failed(
  code: ParseFailure,
  detail: string,
): { readonly ok: false; readonly code: ParseFailure; readonly detail: string } {
  return { ok: false, code, detail };
}
