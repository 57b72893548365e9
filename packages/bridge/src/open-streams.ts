import { LIMITS } from '@earshot/bridge-protocol';
import type { MediaControlMessage } from './media-link-server.js';

/** Which streams a host has open on one link, and whether it keeps to the rules about them. */
export class OpenStreams {
  readonly #ids = new Set<number>();

  /** Takes note of a message; the code of the rule it breaks, if it does. */
  check(message: MediaControlMessage): string | undefined {
    if (message.type === 'streamOpen') return this.#add(message.streamId);
    if (message.type === 'streamClose' && !this.#ids.delete(message.streamId)) {
      return 'stream_not_open';
    }
    return undefined;
  }

  #add(streamId: number): string | undefined {
    if (this.#ids.has(streamId)) return 'stream_already_open';
    if (this.#ids.size === LIMITS.maxStreams) return 'too_many_streams';
    this.#ids.add(streamId);
    return undefined;
  }
}
