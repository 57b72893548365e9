import type { WebSocket } from 'ws';
import type { VendorServer } from './vendor-server.js';
import { serveVendor } from './vendor-server.js';

/** A message as it came. */
export interface UspIn {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly isBinary: boolean;
}

export interface AzureServer extends VendorServer {
  readonly messages: UspIn[];
  /** Status of phrases. */
  status: string;
  /** After so many bytes of sound of the first connection it breaks off; null: never. */
  crashAfterBytes: number | null;
  /** The turn is ended by the service after so many bytes of sound, once; null: never. */
  endAfterBytes: number | null;
}

/** Speaks as Azure Speech does: says `word <n>` for each second that it was given, a phrase a turn. */
export async function serveAzure(): Promise<AzureServer> {
  const messages: UspIn[] = [];
  const server = await serveVendor(({ socket }) => welcome(socket));
  const vendor: AzureServer = Object.assign(server, {
    messages,
    status: 'Success',
    crashAfterBytes: null,
    endAfterBytes: null,
  });

  function welcome(socket: WebSocket): void {
    let bytes = 0;
    const tell = (requestId: string, path: string, body: unknown): void => {
      const json = JSON.stringify(body);
      const type = 'Content-Type:application/json; charset=utf-8';
      socket.send(`X-RequestId:${requestId}\r\n${type}\r\nPath:${path}\r\n\r\n${json}`);
    };
    const end = (requestId: string): void => {
      if (bytes > 0) tell(requestId, 'speech.endDetected', { Offset: bytes * TICKS_PER_BYTE });
      tell(requestId, 'speech.phrase', phraseOf(bytes, vendor.status));
      tell(requestId, 'turn.end', {});
    };
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      const message = isBinary ? readBinary(data) : readText(data);
      messages.push(message);
      const { path = '', 'x-requestid': requestId = '' } = message.headers;
      if (path === 'speech.context') {
        bytes = 0;
        tell(requestId, 'turn.start', { context: { serviceTag: 'tag' } });
      }
      if (path !== 'audio' || message.headers['content-type'] === 'audio/x-wav') return;
      if (message.body.length === 0) {
        end(requestId);
        return;
      }
      const before = bytes;
      bytes += message.body.length;
      if (before === 0) tell(requestId, 'speech.startDetected', { Offset: 0 });
      if (vendor.crashAfterBytes !== null && bytes >= vendor.crashAfterBytes) {
        vendor.crashAfterBytes = null;
        socket.terminate();
      } else if (vendor.endAfterBytes !== null && bytes >= vendor.endAfterBytes) {
        vendor.endAfterBytes = null;
        end(requestId);
      } else if (secondsOf(bytes) > secondsOf(before)) {
        tell(requestId, 'speech.hypothesis', {
          Text: textOf(bytes).toLowerCase(),
          Offset: 1_000_000,
          Duration: bytes * TICKS_PER_BYTE - 1_000_000,
        });
      }
    });
  }
  return vendor;
}

const TICKS_PER_BYTE = 10_000_000 / 32_000;

function secondsOf(bytes: number): number {
  return Math.floor(bytes / 32_000);
}

function textOf(bytes: number): string {
  return Array.from({ length: secondsOf(bytes) }, (_, index) => `Word${index}`).join(' ');
}

function phraseOf(bytes: number, status: string): unknown {
  const duration = bytes * TICKS_PER_BYTE;
  const about = {
    Id: 'id',
    Offset: 0,
    Duration: duration,
    Channel: 0,
    Type: 'ConversationTranscription',
  };
  if (status !== 'Success') return { ...about, RecognitionStatus: status };
  if (secondsOf(bytes) === 0) return { ...about, RecognitionStatus: 'NoMatch' };
  const text = textOf(bytes);
  const words = Array.from({ length: secondsOf(bytes) }, (_, index) => ({
    Word: `word${index}`,
    Offset: index * 10_000_000 + 1_000_000,
    Duration: 8_000_000,
    Confidence: 0.9,
  }));
  const best = {
    Confidence: 0.95,
    Lexical: text.toLowerCase(),
    ITN: text,
    MaskedITN: text,
    Display: `${text}.`,
    Words: words,
  };
  return { ...about, RecognitionStatus: 'Success', DisplayText: `${text}.`, NBest: [best] };
}

function readText(data: Buffer): UspIn {
  const text = data.toString('utf8');
  const [head = '', body = ''] = text.split('\r\n\r\n');
  return { headers: headersOf(head), body: Buffer.from(body), isBinary: false };
}

function readBinary(data: Buffer): UspIn {
  const length = data.readUInt16BE(0);
  const head = data.toString('latin1', 2, 2 + length);
  return { headers: headersOf(head), body: data.subarray(2 + length), isBinary: true };
}

function headersOf(head: string): Record<string, string> {
  const lines = head.split('\r\n').filter((line) => line !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const [name = '', ...rest] = line.split(':');
      return [name.toLowerCase(), rest.join(':').trim()];
    }),
  );
}
