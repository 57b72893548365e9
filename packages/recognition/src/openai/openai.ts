import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import type { ProxySettings } from '@earshot/proxy';
import { NO_PROXIES, openProxyFetch } from '@earshot/proxy';
import type { Recognizer, RecognizerSession, RecognizerSessionOptions } from '../recognizer.js';
import { Slots } from '../slots.js';
import { closedError } from '../vendor-fault.js';
import { vendorKey } from '../vendor-key.js';
import { OpenAiSession } from './openai-session.js';
import { ENGINE } from './transcription-request.js';

const DEFAULT_MODEL = 'whisper-1';

export interface OpenAiTranscriptionOptions {
  /**
   * Up to the version, such as `https://api.openai.com/v1`; or the whole address of whisper.cpp's
   * server, such as `http://127.0.0.1:8080/inference`.
   */
  readonly baseUrl: string;
  readonly apiKey?: string | undefined;
  /** `whisper-1` by default. Those of `gpt-4o` give text only, without times of words. */
  readonly model?: string | undefined;
  /** Requests at once, of all sessions; 4 by default. */
  readonly maxRequests?: number;
  /** How long an answer may take, ms; 15 000 by default. */
  readonly requestMs?: number;
  /** Most sound of an utterance, ms; 75 000 by default. */
  readonly maxUtteranceMs?: number;
  /** None by default. */
  readonly proxies?: ProxySettings | undefined;
  readonly clock?: Clock;
  random?(): number;
}

/**
 * Dictation by a service with OpenAI's transcription API, of which there are many; also whisper.cpp's
 * server. Each utterance is one `POST …/audio/transcriptions` of a WAV file, so there are no partials.
 *
 * Wire format: openai/openai-node `src/resources/audio/transcriptions.ts` (TranscriptionVerbose and its
 * words and segments), ggml-org/whisper.cpp `examples/server/server.cpp` (`/inference`).
 *
 * @throws CodedError `invalid_url`, `invalid_key`.
 */
export function createOpenAiTranscription(options: OpenAiTranscriptionOptions): Recognizer {
  const { clock = systemClock, model = DEFAULT_MODEL, requestMs = 15_000 } = options;
  const url = requestUrl(options.baseUrl);
  const apiKey = options.apiKey === undefined ? null : vendorKey(ENGINE, options.apiKey);
  const outside = openProxyFetch(options.proxies ?? NO_PROXIES);
  const slots = new Slots(options.maxRequests ?? 4);
  const sessions = new Set<RecognizerSession>();

  let isClosed = false;

  function open(session: RecognizerSessionOptions): Promise<RecognizerSession> {
    if (isClosed) return Promise.reject(closedError(ENGINE));
    if (session.task.kind !== 'dictation') {
      const rule = `Cannot recognize with ${ENGINE}: the task must be dictation`;
      return Promise.reject(new CodedError('recognizer_refused', rule));
    }
    const opened: RecognizerSession = new OpenAiSession({
      session,
      request: {
        url,
        model,
        apiKey,
        fetch: outside.fetch,
        language: primaryLanguage(session.language),
        format: model.startsWith('gpt-') ? 'json' : 'verbose_json',
      },
      limits: { requestMs, maxUtteranceMs: options.maxUtteranceMs ?? 75_000 },
      clock,
      slots,
      random: options.random ?? Math.random,
      closed: () => sessions.delete(opened),
    });
    sessions.add(opened);
    return Promise.resolve(opened);
  }

  return {
    name: ENGINE,
    capabilities: {
      tasks: ['dictation'],
      partials: false,
      wordTimes: !model.startsWith('gpt-'),
      confidence: !model.startsWith('gpt-'),
      languages: 'any',
      runs: 'remote',
    },
    open,
    async close() {
      isClosed = true;
      await Promise.all(Array.from(sessions, (session) => session.close()));
      await outside.close();
    },
  };
}

function requestUrl(baseUrl: string): string {
  if (!URL.canParse(baseUrl) || !/^https?:/.test(baseUrl)) {
    const rule = 'Cannot use this transcription service: its address must be an http(s) URL';
    throw new CodedError('invalid_url', rule);
  }
  const url = new URL(baseUrl);
  if (url.username !== '' || url.password !== '') {
    const rule = 'Cannot use this transcription service: its address must hold no user or password';
    throw new CodedError('invalid_url', rule);
  }
  const path = url.pathname.replace(/\/+$/, '');
  const isWhole = /\/(inference|audio\/transcriptions)$/.test(path);
  url.pathname = isWhole ? path : `${path}/audio/transcriptions`;
  return url.href;
}

function primaryLanguage(language: string): string | null {
  const primary = language.split('-')[0]?.toLowerCase() ?? '';
  return /^[a-z]{2,3}$/.test(primary) ? primary : null;
}
