import type { MediaSession } from './media-session.js';

const MAX_CALLS = 20;
const MAX_HEARD_BYTES = 64 * 1024 * 1024;

/**
 * Calls that are over, for those who ask what was heard or lost in them. Bounded: the last 20, and
 * 64 MiB of what they heard; the oldest are forgotten.
 */
export class CallArchive {
  readonly #sessions: MediaSession[] = [];

  add(session: MediaSession): void {
    this.#sessions.push(session);
    while (this.#sessions.length > MAX_CALLS || this.#heardBytes > MAX_HEARD_BYTES) {
      this.#sessions.shift();
    }
  }

  find(id: string): MediaSession | undefined {
    return this.#sessions.findLast((session) => session.isCalled(id));
  }

  get #heardBytes(): number {
    return this.#sessions.reduce((sum, { heard }) => sum + heard.bytes, 0);
  }
}
