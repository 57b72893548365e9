import { proxyErrorOf } from '@earshot/proxy';
import { wavHeader } from '@earshot/wav';
import { pcmBytes } from '../pcm-bytes.js';
import { RECOGNIZER_SAMPLE_RATE_HZ } from '../recognizer.js';
import type { VendorFault } from '../vendor-fault.js';
import {
  faultOfProxy,
  faultOfStatus,
  retryAfterMs,
  slow,
  unavailable,
  unreadable,
} from '../vendor-fault.js';
import type { Transcription } from './transcription-response.js';
import { readTranscription } from './transcription-response.js';

export const ENGINE = 'openai';

/** Longer answers are none of these services'. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export interface TranscriptionRequest {
  readonly url: string;
  readonly fetch: typeof fetch;
  /** Null: none is sent. */
  readonly apiKey: string | null;
  readonly model: string;
  /** ISO 639-1; null: the server finds out. */
  readonly language: string | null;
  readonly format: 'verbose_json' | 'json';
  readonly pcm: Int16Array;
  readonly signal: AbortSignal;
}

export type TranscriptionOutcome =
  | { readonly kind: 'heard'; readonly transcription: Transcription }
  | { readonly kind: 'fault'; readonly fault: VendorFault };

/** Sends an utterance as a WAV file, and reads what was said in it. Never rejects. */
export async function transcribe(request: TranscriptionRequest): Promise<TranscriptionOutcome> {
  try {
    const form = new Response(formOf(request));
    const response = await request.fetch(request.url, {
      method: 'POST',
      headers: {
        'content-type': form.headers.get('content-type') ?? '',
        ...(request.apiKey === null ? {} : { authorization: `Bearer ${request.apiKey}` }),
      },
      body: await form.arrayBuffer(),
      signal: request.signal,
      redirect: 'error',
    });
    if (!response.ok) {
      await response.body?.cancel();
      const waitMs = retryAfterMs(response.headers.get('retry-after'));
      return failed({ ...faultOfStatus(ENGINE, response.status), retryAfterMs: waitMs });
    }
    const transcription = readTranscription(await textOf(response));
    if (transcription !== undefined) return { kind: 'heard', transcription };
    return failed(unreadable(ENGINE, 'the answer must be a transcription as JSON'));
  } catch (error) {
    // What was thrown may name the address with its credentials.
    if (request.signal.aborted) return failed(slow(ENGINE, 'the service must answer in time'));
    const inTheWay = proxyErrorOf(error);
    if (inTheWay !== undefined) return failed(faultOfProxy(ENGINE, inTheWay));
    return failed(unavailable(ENGINE, 'the service must be reachable'));
  }
}

function failed(fault: VendorFault): TranscriptionOutcome {
  return { kind: 'fault', fault };
}

function formOf({ pcm, model, language, format }: TranscriptionRequest): FormData {
  const sound = pcmBytes(pcm);
  const file = new Blob([wavHeader(sound.length, RECOGNIZER_SAMPLE_RATE_HZ), sound], {
    type: 'audio/wav',
  });
  const form = new FormData();
  form.append('file', file, 'utterance.wav');
  form.append('model', model);
  form.append('response_format', format);
  form.append('temperature', '0');
  if (language !== null) form.append('language', language);
  if (format === 'verbose_json') {
    form.append('timestamp_granularities[]', 'word');
    form.append('timestamp_granularities[]', 'segment');
  }
  return form;
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) return '';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
