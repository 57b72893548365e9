import { randomUUID } from 'node:crypto';
import type { Clock } from '@earshot/async';
import { wavStreamHeader } from '@earshot/wav';
import { pcmBytes } from '../pcm-bytes.js';
import { RECOGNIZER_SAMPLE_RATE_HZ } from '../recognizer.js';
import type {
  DialectConnection,
  DialectEvent,
  DialectOutput,
  DialectSession,
} from '../remote/stream-dialect.js';
import { unavailable, unreadable } from '../vendor-fault.js';
import { ENGINE, readHypothesis, readPhrase } from './azure-results.js';
import type { UspHeaders, UspMessage } from './usp-message.js';
import { readUspText, uspBinary, uspText } from './usp-message.js';

/** Says who is speaking, as the SDKs do; nothing of the machine. */
const SPEECH_CONFIG = {
  context: { system: { name: 'Earshot', version: '1.0.0', build: 'Node.js', lang: 'TypeScript' } },
};

/** An id as the service wants them: 32 hexadecimal digits. */
export function uspId(): string {
  return randomUUID().replaceAll('-', '').toUpperCase();
}

/**
 * A turn is a request with an id of its own: `speech.config`, `speech.context`, a WAV header, sound, and
 * an empty `audio` message at its end; the service says `turn.end` after the last phrase. Several turns
 * follow one another on one connection.
 *
 * Source: microsoft/cognitive-services-speech-sdk-js `src/common.speech/ServiceRecognizerBase.ts`
 * (sendSpeechServiceConfig, sendSpeechContext, sendWaveHeader, sendAudio, sendFinalAudio,
 * receiveMessage) and `SpeechContext.ts`.
 */
export class AzureConnection implements DialectConnection {
  readonly #session: DialectSession;
  readonly #output: DialectOutput;
  readonly #clock: Clock;
  #requestId = '';
  #isEnding = false;

  constructor(session: DialectSession, output: DialectOutput, clock: Clock) {
    this.#session = session;
    this.#output = output;
    this.#clock = clock;
  }

  beginTurn(): void {
    this.#requestId = uspId();
    this.#isEnding = false;
    const json = 'application/json';
    this.#output.send(uspText(this.#headers('speech.config', json), JSON.stringify(SPEECH_CONFIG)));
    const context = JSON.stringify(speechContext(this.#session));
    this.#output.send(uspText(this.#headers('speech.context', json), context));
    this.#output.send(
      uspBinary(this.#headers('audio', 'audio/x-wav'), wavStreamHeader(RECOGNIZER_SAMPLE_RATE_HZ)),
    );
  }

  audio(pcm: Int16Array): void {
    this.#output.send(uspBinary(this.#headers('audio', null), pcmBytes(pcm)));
  }

  endTurn(): void {
    this.#isEnding = true;
    this.#output.send(uspBinary(this.#headers('audio', null), new Uint8Array(0)));
  }

  isQuietEnd(): boolean {
    return false;
  }

  keepAlive(): void {
    this.#output.ping();
  }

  goodbye(): void {}

  message(data: string | Buffer): readonly DialectEvent[] {
    const message = typeof data === 'string' ? readUspText(data) : undefined;
    if (message === undefined) return [UNREADABLE];
    // Of a turn before.
    if (message.requestId !== this.#requestId) return [];
    const event = this.#eventOf(message);
    return event === null ? [] : [event];
  }

  /** Null: it says nothing that is needed. */
  #eventOf({ path, body }: UspMessage): DialectEvent | null {
    switch (path) {
      case 'speech.hypothesis':
      case 'speech.fragment':
        return readHypothesis(body) ?? UNREADABLE;
      case 'speech.phrase':
        return readPhrase(body) ?? UNREADABLE;
      case 'turn.end':
        return this.#isEnding ? { kind: 'ended' } : EARLY_END;
      default:
        return null;
    }
  }

  #headers(path: string, contentType: string | null): UspHeaders {
    const timestamp = new Date(this.#clock.wallclockMs()).toISOString();
    return { path, requestId: this.#requestId, timestamp, contentType };
  }
}

const UNREADABLE: DialectEvent = {
  kind: 'fault',
  fault: unreadable(ENGINE, 'messages must be of the Unified Speech Protocol'),
};

/** The service ends turns by itself, after long silence or ten minutes: sound goes on in another. */
const EARLY_END: DialectEvent = {
  kind: 'fault',
  fault: unavailable(ENGINE, 'the service must not end an utterance before its speaker does'),
};

function speechContext({ language, endpointMs, partials }: DialectSession): unknown {
  const segmentation = { mode: 'Custom', segmentationSilenceTimeoutMs: endpointMs };
  return {
    phraseDetection: { mode: 'Conversation', language, conversation: { segmentation } },
    phraseOutput: {
      format: 'Detailed',
      detailed: { options: ['WordTimings', 'WordConfidence'] },
      interimResults: { resultType: partials ? 'Auto' : 'None' },
    },
  };
}
