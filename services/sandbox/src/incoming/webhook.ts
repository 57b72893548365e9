import { randomUUID } from 'node:crypto';
import { callbackHeaders } from '../graph/callback-post.js';
import type { CallbackSigner } from '../graph/callback-signer.js';
import type { RingingCall } from './ringing-call.js';

const REQUEST_TIMEOUT_MS = 10_000;

/** What the bot answered. */
export interface WebhookAnswer {
  readonly status: number;
  /** Of a redirection. */
  readonly location: string | null;
  readonly text: string;
}

/** Posts to the bot's webhook, and reads what it answers. */
export class Webhook {
  readonly #signer: CallbackSigner;
  readonly #clientId: string;
  readonly #signal: AbortSignal;

  constructor(options: { signer: CallbackSigner; clientId: string; signal: AbortSignal }) {
    this.#signer = options.signer;
    this.#clientId = options.clientId;
    this.#signal = options.signal;
  }

  /** Undefined when there was no answer. */
  async post(call: RingingCall, uri: string, body: unknown): Promise<WebhookAnswer | undefined> {
    const token = await this.#signer.token(this.#clientId, call.tenantId);
    const { callChainId: chainId } = call;
    try {
      const response = await fetch(uri, {
        method: 'POST',
        redirect: 'manual',
        headers: callbackHeaders({ token, chainId, messageId: randomUUID(), scenarioId: chainId }),
        body: JSON.stringify(body),
        signal: AbortSignal.any([this.#signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
      });
      const { status, headers } = response;
      return { status, location: headers.get('location'), text: await response.text() };
    } catch {
      return undefined;
    }
  }
}
