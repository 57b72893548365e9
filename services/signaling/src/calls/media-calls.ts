import type { CallRecord, Registry } from '@earshot/registry';

/** A media session of a host. */
export interface MediaSessionName {
  readonly hostId: string;
  readonly mediaId: string;
}

/** Which call a media session is of: from memory where this process has seen the call. */
export class MediaCalls {
  readonly #registry: Registry;
  readonly #callOfMedia = new Map<string, string>();
  readonly #mediaOfCall = new Map<string, string>();
  /** A look at all open calls that has not begun yet, for all that miss meanwhile. */
  #nextScan: Promise<void> | undefined;
  #scanning: Promise<void> = Promise.resolve();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  remember({ callId, hostId, mediaId }: CallRecord): void {
    if (hostId === undefined || mediaId === undefined) return;
    const key = keyOf({ hostId, mediaId });
    // Of an attempt before: its host has nothing more to say of the call.
    const former = this.#mediaOfCall.get(callId);
    if (former !== undefined && former !== key) this.#callOfMedia.delete(former);
    this.#callOfMedia.set(key, callId);
    this.#mediaOfCall.set(callId, key);
  }

  forget(callId: string): void {
    const key = this.#mediaOfCall.get(callId);
    if (key === undefined) return;
    this.#mediaOfCall.delete(callId);
    this.#callOfMedia.delete(key);
  }

  /** Undefined when no open call has the session. */
  async find(media: MediaSessionName): Promise<string | undefined> {
    const key = keyOf(media);
    const known = this.#callOfMedia.get(key);
    if (known !== undefined) return known;
    await this.#scan();
    return this.#callOfMedia.get(key);
  }

  /** Looks at all open calls, once for however many ask before it begins. */
  #scan(): Promise<void> {
    this.#nextScan ??= this.#scanning.then(() => {
      this.#nextScan = undefined;
      const scan = this.#readOpenCalls();
      // Who waits is told of a failure; the next scan begins after it all the same.
      this.#scanning = scan.catch(() => {});
      return scan;
    });
    return this.#nextScan;
  }

  async #readOpenCalls(): Promise<void> {
    const callIds = await this.#registry.openCalls();
    const unknown = callIds.filter((callId) => !this.#mediaOfCall.has(callId));
    for (const record of await Promise.all(unknown.map((id) => this.#registry.readCall(id)))) {
      if (record !== undefined) this.remember(record);
    }
  }
}

function keyOf({ hostId, mediaId }: MediaSessionName): string {
  return `${hostId} ${mediaId}`;
}
