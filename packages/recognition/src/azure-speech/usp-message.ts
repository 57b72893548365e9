/**
 * Messages of the Unified Speech Protocol: headers as in HTTP, an empty line, a body. In a binary one
 * the headers are preceded by their length (2 bytes, big-endian), and no empty line follows.
 *
 * Source: microsoft/cognitive-services-speech-sdk-js `src/common.speech/WebsocketMessageFormatter.ts`,
 * `SpeechConnectionMessage.Internal.ts`, `HeaderNames.ts`.
 */
export interface UspMessage {
  /** Lower case, such as `speech.phrase`. */
  readonly path: string;
  /** Upper case; empty when there is none. */
  readonly requestId: string;
  readonly body: string;
}

export interface UspHeaders {
  readonly path: string;
  readonly requestId: string;
  /** ISO 8601. */
  readonly timestamp: string;
  readonly contentType: string | null;
}

export function uspText(headers: UspHeaders, body: string): string {
  return `${headerLines(headers)}\r\n${body}`;
}

export function uspBinary(headers: UspHeaders, body: Uint8Array): Buffer {
  const lines = Buffer.from(headerLines(headers), 'latin1');
  const message = Buffer.alloc(2 + lines.length + body.length);
  message.writeUInt16BE(lines.length, 0);
  lines.copy(message, 2);
  message.set(body, 2 + lines.length);
  return message;
}

/** Reads a text message of the service; undefined when it is none. */
export function readUspText(data: string): UspMessage | undefined {
  const split = data.indexOf('\r\n\r\n');
  const headers = readHeaders(split < 0 ? data : data.slice(0, split));
  const path = headers.get('path');
  if (path === undefined) return undefined;
  return {
    path: path.toLowerCase(),
    requestId: (headers.get('x-requestid') ?? '').toUpperCase(),
    body: split < 0 ? '' : data.slice(split + 4),
  };
}

function headerLines({ path, requestId, timestamp, contentType }: UspHeaders): string {
  const type = contentType === null ? '' : `Content-Type: ${contentType}\r\n`;
  return `Path: ${path}\r\nX-RequestId: ${requestId}\r\nX-Timestamp: ${timestamp}\r\n${type}`;
}

function readHeaders(text: string): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0)
      headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}
