import { CodedError } from '@earshot/async';
import type { ListeningChange, ListeningSettings } from '@earshot/listening';
import { listeningSettingsSchema } from '@earshot/listening';
import { z } from 'zod';
import type { OperationView, ParticipantView, Presence } from './call-control-views.js';
import { operationListSchema, operationSchema, rosterSchema } from './call-control-views.js';

const REQUEST_TIMEOUT_MS = 30_000;

/** Of one list: a hundred items each. */
const MOST_PAGES = 1000;

/** A call as signaling's REST API shows it; more than is named here is kept. */
export interface CallView {
  readonly [field: string]: unknown;
  readonly id: string;
  readonly state: string;
  readonly events?: { readonly published: number } | undefined;
}

/** A webhook as signaling shows it; the secret is there only when it was made. */
export interface WebhookView {
  readonly id: string;
  readonly url: string;
  readonly enabled: boolean;
  readonly disabled?: { readonly reason: string } | undefined;
  readonly backlog: number;
  readonly secret?: string | undefined;
}

/** A delivery as signaling shows it. */
export interface DeliveryView {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly attempts: number;
  readonly updatedAt: string;
  readonly responseStatus?: number | undefined;
  readonly durationMs?: number | undefined;
  readonly error?: string | undefined;
}

export interface NewWebhook {
  readonly url: string;
  readonly eventTypes?: readonly string[];
  readonly callId?: string;
}

const callSchema: z.ZodType<CallView> = z.looseObject({
  id: z.string(),
  state: z.string(),
  events: z.looseObject({ published: z.number() }).optional(),
});
/** An audio on its way into a meeting; more than is named here is kept. */
export interface PlayView {
  readonly [field: string]: unknown;
  readonly playId: string;
  readonly state: string;
  readonly durationMs: number;
}

const playSchema: z.ZodType<PlayView> = z.looseObject({
  playId: z.string(),
  state: z.string(),
  durationMs: z.number(),
});
const callListSchema = z.looseObject({
  calls: z.array(callSchema),
  nextCursor: z.string().optional(),
});
const webhookSchema: z.ZodType<WebhookView> = z.object({
  id: z.string(),
  url: z.string(),
  enabled: z.boolean(),
  disabled: z.object({ reason: z.string() }).optional(),
  backlog: z.number(),
  secret: z.string().optional(),
});
const webhookListSchema = z.object({
  webhooks: z.array(webhookSchema),
  nextCursor: z.string().optional(),
});
const deliverySchema: z.ZodType<DeliveryView> = z.object({
  id: z.string(),
  type: z.string(),
  status: z.string(),
  attempts: z.number(),
  updatedAt: z.string(),
  responseStatus: z.number().optional(),
  durationMs: z.number().optional(),
  error: z.string().optional(),
});
const deliveryListSchema = z.object({ deliveries: z.array(deliverySchema) });
const problemSchema = z.looseObject({
  detail: z.string().optional(),
  title: z.string().optional(),
  code: z.string().optional(),
  fix: z.string().optional(),
});

/** What `play` posts. */
export class PostedAudio {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Its media type. */
  readonly type: 'audio/wav' | 'audio/ogg';

  constructor(bytes: Uint8Array<ArrayBuffer>, type: 'audio/wav' | 'audio/ogg') {
    this.bytes = bytes;
    this.type = type;
  }
}

export interface SignalingClientOptions {
  readonly url: string;
  readonly apiKey: string | undefined;
}

/** Client of signaling's REST API. Refusals become `CodedError` with the problem's own code. */
export class SignalingClient {
  readonly #url: string;
  readonly #apiKey: string | undefined;

  constructor({ url, apiKey }: SignalingClientOptions) {
    this.#url = url.replace(/\/$/, '');
    this.#apiKey = apiKey;
  }

  /** @param listening what is listened for; what it does not name is as the service has it. */
  async join(joinUrl: string, listening?: ListeningChange): Promise<CallView> {
    const body = { joinUrl, ...(listening === undefined ? {} : { listening }) };
    return this.#read(callSchema, await this.#request('POST', '/v1/calls', body));
  }

  async listening(callId: string): Promise<ListeningSettings> {
    const answer = await this.#request('GET', `${callPath(callId)}/listening`);
    return this.#read(listeningSettingsSchema, answer);
  }

  /** Replaces what `change` names. @returns the settings as they are now. */
  async setListening(callId: string, change: ListeningChange): Promise<ListeningSettings> {
    const answer = await this.#request('PATCH', `${callPath(callId)}/listening`, change);
    return this.#read(listeningSettingsSchema, answer);
  }

  async read(callId: string): Promise<CallView> {
    return this.#read(callSchema, await this.#request('GET', callPath(callId)));
  }

  /** All of them, newest first. */
  list(): Promise<readonly CallView[]> {
    return this.#allOf('/v1/calls?', callListSchema, ({ calls }) => calls);
  }

  /** All of them by id; those who left, newest first. */
  participants(callId: string, presence: Presence): Promise<readonly ParticipantView[]> {
    const path = `${callPath(callId)}/participants?presence=${presence}&`;
    return this.#allOf(path, rosterSchema, ({ participants }) => participants);
  }

  /** What was asked of Teams, newest first. */
  operations(callId: string): Promise<readonly OperationView[]> {
    const path = `${callPath(callId)}/operations?`;
    return this.#allOf(path, operationListSchema, ({ operations }) => operations);
  }

  async operation(callId: string, operationId: string): Promise<OperationView> {
    const path = `${callPath(callId)}/operations/${encodeURIComponent(operationId)}`;
    return this.#read(operationSchema, await this.#request('GET', path));
  }

  /** Asks something of Teams; `path` is that below the call. */
  async ask(
    method: 'POST' | 'DELETE',
    callId: string,
    path: string,
    body?: unknown,
  ): Promise<OperationView> {
    const answer = await this.#request(method, `${callPath(callId)}/${path}`, body);
    return this.#read(operationSchema, answer);
  }

  async hangUp(callId: string): Promise<void> {
    await this.#request('DELETE', callPath(callId));
  }

  async webhooks(): Promise<readonly WebhookView[]> {
    return this.#allOf('/v1/webhooks?', webhookListSchema, ({ webhooks }) => webhooks);
  }

  async addWebhook(webhook: NewWebhook): Promise<WebhookView> {
    return this.#read(webhookSchema, await this.#request('POST', '/v1/webhooks', webhook));
  }

  async removeWebhook(id: string): Promise<void> {
    await this.#request('DELETE', webhookPath(id));
  }

  /** The newest ones, newest first; `limit` up to 100. */
  async deliveries(id: string, limit: number): Promise<readonly DeliveryView[]> {
    const answer = await this.#request('GET', `${webhookPath(id)}/deliveries?limit=${limit}`);
    return this.#read(deliveryListSchema, answer).deliveries;
  }

  async redeliver(id: string, deliveryId: string): Promise<DeliveryView> {
    const path = `${webhookPath(id)}/deliveries/${encodeURIComponent(deliveryId)}/redeliver`;
    return this.#read(deliverySchema, await this.#request('POST', path));
  }

  /** Posts audio to be heard in the meeting. */
  async play(callId: string, audio: PostedAudio): Promise<PlayView> {
    const path = `${callPath(callId)}/play`;
    return this.#read(playSchema, await this.#request('POST', path, audio));
  }

  /** What is kept of what was said, as the service writes it. */
  async transcript(callId: string, format: 'json' | 'vtt' | 'srt'): Promise<string> {
    const path = `${callPath(callId)}/transcript?format=${format}`;
    const { response, text } = await this.#exchange('GET', path, undefined);
    if (!response.ok) throw refusalOf(response, text, `GET ${path}`);
    return format === 'json' ? `${JSON.stringify(parseJson(text), null, 2)}\n` : text;
  }

  /** Forgets what is kept of what was said. */
  async deleteTranscript(callId: string): Promise<void> {
    await this.#request('DELETE', `${callPath(callId)}/transcript`);
  }

  /** All items of all pages. @throws CodedError `signaling_error` when they do not end. */
  async #allOf<Answer extends { readonly nextCursor?: string | undefined }, Item>(
    path: string,
    schema: z.ZodType<Answer>,
    itemsOf: (answer: Answer) => readonly Item[],
  ): Promise<readonly Item[]> {
    const items: Item[] = [];
    let cursor: string | undefined;
    for (let pages = 0; pages < MOST_PAGES; pages += 1) {
      const from = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page = this.#read(schema, await this.#request('GET', `${path}limit=100${from}`));
      items.push(...itemsOf(page));
      cursor = page.nextCursor;
      if (cursor === undefined) return items;
    }
    const message = `Cannot list: there must be ${MOST_PAGES} pages or fewer, got more`;
    throw new CodedError('signaling_error', message);
  }

  /** @param body JSON, unless it says its own type. */
  async #request(method: string, path: string, body?: unknown): Promise<unknown> {
    const { response, text } = await this.#exchange(method, path, body);
    if (response.ok) return parseJson(text);
    throw refusalOf(response, text, `${method} ${path}`);
  }

  #read<T>(schema: z.ZodType<T>, answer: unknown): T {
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new CodedError(
      'signaling_error',
      `Cannot read the answer: ${this.#url} must be a signaling service, it answered something else`,
      { fix: 'Set EARSHOT_URL to the address of signaling.' },
    );
  }

  async #exchange(
    method: string,
    path: string,
    body: unknown,
  ): Promise<{ response: Response; text: string }> {
    try {
      const response = await fetch(this.#url + path, {
        method,
        headers: {
          ...(this.#apiKey === undefined ? {} : { authorization: `Bearer ${this.#apiKey}` }),
          ...(body === undefined ? {} : { 'content-type': typeOf(body) }),
        },
        ...(body === undefined ? {} : { body: bytesOf(body) }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      return { response, text: await response.text() };
    } catch (cause) {
      throw new CodedError(
        'signaling_unreachable',
        `Cannot reach signaling: it must answer at ${this.#url}`,
        { cause, fix: 'Start it with npm start, or set EARSHOT_URL to a running one.' },
      );
    }
  }
}

function refusalOf({ status }: Response, text: string, asked: string): CodedError {
  const problem = problemSchema.safeParse(parseJson(text)).data;
  return new CodedError(
    problem?.code ?? 'signaling_error',
    problem?.detail ?? problem?.title ?? `Signaling answered ${status} to ${asked}`,
    problem?.fix === undefined ? {} : { fix: problem.fix },
  );
}

function callPath(callId: string): string {
  return `/v1/calls/${encodeURIComponent(callId)}`;
}

function webhookPath(id: string): string {
  return `/v1/webhooks/${encodeURIComponent(id)}`;
}

function typeOf(body: unknown): string {
  return body instanceof PostedAudio ? body.type : 'application/json';
}

function bytesOf(body: unknown): Uint8Array<ArrayBuffer> | string {
  return body instanceof PostedAudio ? body.bytes : JSON.stringify(body);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
