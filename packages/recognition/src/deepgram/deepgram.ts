import { pcmBytes } from '../pcm-bytes.js';
import type { Recognizer } from '../recognizer.js';
import { RECOGNIZER_SAMPLE_RATE_HZ } from '../recognizer.js';
import type {
  DialectConnection,
  DialectEvent,
  DialectOutput,
  DialectSession,
  StreamDialect,
} from '../remote/stream-dialect.js';
import type { StreamingOptions } from '../remote/streaming-recognizer.js';
import { streamingRecognizer } from '../remote/streaming-recognizer.js';
import { webSocketUrl } from '../remote/web-socket-url.js';
import { unavailable, unreadable } from '../vendor-fault.js';
import { vendorKey } from '../vendor-key.js';
import { deepgramLanguage } from './deepgram-language.js';
import type { DeepgramResults, DeepgramWord } from './deepgram-messages.js';
import { readDeepgramMessage } from './deepgram-messages.js';

const ENGINE = 'deepgram';
const DEFAULT_BASE_URL = 'wss://api.deepgram.com';
const DEFAULT_MODEL = 'nova-3';

const SAMPLES_PER_MS = RECOGNIZER_SAMPLE_RATE_HZ / 1000;

/** Results come about once a second of sound. */
const LITTLE_SAMPLES = 2000 * SAMPLES_PER_MS;

/** Times are seconds of few digits. */
const ROUNDING_MS = 20;

export interface DeepgramOptions extends StreamingOptions {
  readonly apiKey: string;
  /** `wss://api.deepgram.com` by default. */
  readonly baseUrl?: string | undefined;
  /** `nova-3` by default. */
  readonly model?: string | undefined;
}

/**
 * Dictation by Deepgram's live transcription: one connection a stream, `Finalize` at the end of each
 * utterance, `KeepAlive` in between.
 *
 * Wire format: deepgram/deepgram-js-sdk `src/api/resources/listen/resources/v1` (messages and query),
 * developers.deepgram.com `docs/finalize`, `docs/audio-keep-alive`, `docs/close-stream`.
 *
 * @throws CodedError `invalid_url`, `invalid_key`.
 */
export function createDeepgram(options: DeepgramOptions): Recognizer {
  const base = webSocketUrl(options.baseUrl ?? DEFAULT_BASE_URL);
  const apiKey = vendorKey(ENGINE, options.apiKey);
  const dialect: StreamDialect = {
    engine: ENGINE,
    address: (session) => ({
      url: addressOf(base, options.model ?? DEFAULT_MODEL, session),
      headers: { authorization: `Token ${apiKey}` },
    }),
    begin: (_session, output) => new DeepgramConnection(output),
  };
  return streamingRecognizer(dialect, options);
}

function addressOf(base: URL, model: string, session: DialectSession): string {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, '').replace(/\/v1(\/listen)?$/, '')}/v1/listen`;
  const query = {
    model,
    language: deepgramLanguage(session.language),
    encoding: 'linear16',
    sample_rate: String(RECOGNIZER_SAMPLE_RATE_HZ),
    channels: '1',
    // Told or not: they show how far the service is.
    interim_results: 'true',
    endpointing: String(session.endpointMs),
    punctuate: 'true',
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.href;
}

/** Times of the service are of the connection; those of a turn are from its first sample. */
class DeepgramConnection implements DialectConnection {
  readonly #output: DialectOutput;
  #sentSamples = 0;
  #turnSample = 0;
  /** All before is in results, be they of words or of none. */
  #heardSample = 0;
  /** Words were told that are in no final yet. */
  #isTentative = false;

  constructor(output: DialectOutput) {
    this.#output = output;
  }

  beginTurn(): void {
    this.#turnSample = this.#sentSamples;
    this.#heardSample = this.#sentSamples;
    this.#isTentative = false;
  }

  audio(pcm: Int16Array): void {
    this.#output.send(pcmBytes(pcm));
    this.#sentSamples += pcm.length;
  }

  endTurn(): void {
    this.#tell('Finalize');
  }

  /** The service need not answer `Finalize` when little is left of which it said nothing. */
  isQuietEnd(): boolean {
    return !this.#isTentative && this.#sentSamples - this.#heardSample <= LITTLE_SAMPLES;
  }

  keepAlive(): void {
    this.#tell('KeepAlive');
  }

  goodbye(): void {
    this.#tell('CloseStream');
  }

  message(data: string | Buffer): readonly DialectEvent[] {
    const message = typeof data === 'string' ? readDeepgramMessage(data) : undefined;
    if (message === undefined) {
      const fault = unreadable(ENGINE, 'messages must be JSON of a known form');
      return [{ kind: 'fault', fault }];
    }
    if (message.kind === 'error') {
      return [
        { kind: 'fault', fault: unavailable(ENGINE, 'the service must not tell of an error') },
      ];
    }
    return message.kind === 'results' ? this.#results(message.results) : [];
  }

  #results(results: DeepgramResults): DialectEvent[] {
    const originMs = this.#turnSample / SAMPLES_PER_MS;
    const endMs = (results.start + results.duration) * 1000 - originMs;
    // Of a turn before.
    if (endMs <= ROUNDING_MS && this.#turnSample > 0) return [];
    const endSample = this.#turnSample + endMs * SAMPLES_PER_MS;
    this.#heardSample = Math.max(this.#heardSample, endSample);
    const [best] = results.channel.alternatives;
    const text = best?.transcript ?? '';
    this.#isTentative = text !== '' && !results.is_final;
    const told: DialectEvent = {
      kind: results.is_final ? 'final' : 'partial',
      text,
      startMs: Math.max(0, results.start * 1000 - originMs),
      endMs,
      words: (best?.words ?? []).map((word) => toWord(word, originMs)),
      confidence: best === undefined ? null : clampConfidence(best.confidence),
      language: best?.languages?.[0] ?? null,
    };
    return results.from_finalize ? [told, { kind: 'ended' }] : [told];
  }

  #tell(type: 'Finalize' | 'KeepAlive' | 'CloseStream'): void {
    this.#output.send(JSON.stringify({ type }));
  }
}

function toWord(
  { word, punctuated_word: punctuated, start, end, confidence }: DeepgramWord,
  originMs: number,
): { text: string; startMs: number; endMs: number; confidence: number } {
  return {
    text: punctuated ?? word,
    startMs: Math.max(0, start * 1000 - originMs),
    endMs: Math.max(0, end * 1000 - originMs),
    confidence: clampConfidence(confidence),
  };
}

function clampConfidence(confidence: number): number {
  return Math.min(1, Math.max(0, confidence));
}
