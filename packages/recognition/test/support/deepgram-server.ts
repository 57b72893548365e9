import type { VendorServer, Visitor } from './vendor-server.js';
import { serveVendor } from './vendor-server.js';

export interface DeepgramServer extends VendorServer {
  /** What was sent as text, by type. */
  readonly told: string[];
  /** Bytes of sound of each connection. */
  readonly heardBytes: number[];
  /** False: nothing is answered to `Finalize`. */
  answers: boolean;
  /** After so many bytes of sound of the first connection it breaks off; null: never. */
  crashAfterBytes: number | null;
}

const SECONDS_PER_BYTE = 1 / 32_000;

/** Speaks as Deepgram's live transcription does: says `word <n>` for each second that it was given. */
export async function serveDeepgram(): Promise<DeepgramServer> {
  const told: string[] = [];
  const heardBytes: number[] = [];
  const server = await serveVendor((visitor) => welcome(visitor));
  const vendor: DeepgramServer = Object.assign(server, {
    told,
    heardBytes,
    answers: true,
    crashAfterBytes: null,
  });

  function welcome({ socket }: Visitor): void {
    const index = heardBytes.push(0) - 1;
    let doneBytes = 0;
    const bytes = (): number => heardBytes[index] ?? 0;
    const results = (isFinal: boolean, fromFinalize: boolean): void => {
      const start = doneBytes * SECONDS_PER_BYTE;
      const duration = (bytes() - doneBytes) * SECONDS_PER_BYTE;
      if (isFinal) doneBytes = bytes();
      socket.send(JSON.stringify(resultsOf({ start, duration, isFinal, fromFinalize })));
    };
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) {
        const before = bytes();
        heardBytes[index] = before + data.length;
        if (vendor.crashAfterBytes !== null && bytes() >= vendor.crashAfterBytes && index === 0) {
          socket.terminate();
          return;
        }
        if (Math.floor(bytes() / 32_000) > Math.floor(before / 32_000)) results(false, false);
        return;
      }
      const { type } = JSON.parse(data.toString('utf8')) as { type: string };
      told.push(type);
      if (type === 'Finalize' && vendor.answers) results(true, true);
      if (type === 'CloseStream') {
        socket.send(
          JSON.stringify({ type: 'Metadata', request_id: 'r', duration: 1, channels: 1 }),
        );
        socket.close(1000);
      }
    });
  }
  return vendor;
}

interface ResultsOf {
  readonly start: number;
  readonly duration: number;
  readonly isFinal: boolean;
  readonly fromFinalize: boolean;
}

function resultsOf({ start, duration, isFinal, fromFinalize }: ResultsOf): unknown {
  const words = Array.from({ length: Math.floor(duration + 1e-6) }, (_, index) => ({
    word: `word${index}`,
    punctuated_word: `Word${index}`,
    start: start + index + 0.1,
    end: start + index + 0.9,
    confidence: 0.98,
  }));
  return {
    type: 'Results',
    channel_index: [0, 1],
    duration,
    start,
    is_final: isFinal,
    speech_final: isFinal,
    from_finalize: fromFinalize,
    channel: {
      alternatives: [
        {
          transcript: words.map(({ punctuated_word: text }) => text).join(' '),
          confidence: 0.97,
          words,
        },
      ],
    },
    metadata: {
      request_id: 'r',
      model_info: { name: 'nova-3', version: '1', arch: 'nova-3' },
      model_uuid: 'm',
    },
  };
}
