import { API_KEY } from './harness.js';

export interface StreamEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: { readonly callId?: string; readonly position?: number; readonly reason?: string };
}

/** A client of server-sent events, over fetch, as a page would be. */
export class StreamClient {
  readonly events: StreamEvent[] = [];
  readonly comments: string[] = [];
  readonly status: number;
  /** Resolves when the stream has ended. */
  readonly ended: Promise<void>;
  readonly #cut: AbortController;

  private constructor(response: Response, cut: AbortController) {
    this.status = response.status;
    this.#cut = cut;
    this.ended = this.#read(response).catch(() => {});
  }

  static async open(url: string, lastEventId?: string): Promise<StreamClient> {
    const cut = new AbortController();
    const response = await fetch(url, {
      headers: {
        authorization: `Bearer ${API_KEY}`,
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
      signal: cut.signal,
    });
    return new StreamClient(response, cut);
  }

  close(): void {
    this.#cut.abort();
  }

  get positions(): (number | undefined)[] {
    return this.events.map(({ data }) => data.position);
  }

  async #read(response: Response): Promise<void> {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) this.#take(block);
    }
  }

  #take(block: string): void {
    if (block.startsWith(':')) this.comments.push(block.slice(2));
    const fields = new Map(
      block.split('\n').map((line) => [line.split(':', 1)[0], line.replace(/^[^:]*: /, '')]),
    );
    const data = fields.get('data');
    if (data === undefined) return;
    this.events.push({
      id: fields.get('id'),
      event: fields.get('event') ?? '',
      data: JSON.parse(data),
    });
  }
}
