import type {
  DrainingMessage,
  HostHealthMessage,
  HostMessage,
  MediaStateMessage,
} from '@earshot/bridge-protocol';

/** States kept for sessions that signaling never released: the oldest make room. */
const MAX_MEDIA_STATES = 1024;

/** What signaling must know of a host whenever a link comes up: only the newest of each. */
export class HostStatus {
  readonly #media = new Map<string, MediaStateMessage>();
  #health: HostHealthMessage = { type: 'health', activeCalls: 0, level: 'normal' };
  #draining: DrainingMessage | undefined;

  health(health: Omit<HostHealthMessage, 'type'>): HostHealthMessage {
    this.#health = { type: 'health', activeCalls: health.activeCalls, level: health.level };
    return this.#health;
  }

  media({ mediaId, state, detail }: Omit<MediaStateMessage, 'type'>): MediaStateMessage {
    const message: MediaStateMessage = {
      type: 'mediaState',
      mediaId,
      state,
      ...(detail === undefined ? {} : { detail }),
    };
    this.#media.delete(mediaId);
    this.#media.set(mediaId, message);
    if (this.#media.size > MAX_MEDIA_STATES) {
      for (const oldest of this.#media.keys()) {
        this.#media.delete(oldest);
        break;
      }
    }
    return message;
  }

  drain(): DrainingMessage {
    this.#draining = { type: 'draining' };
    return this.#draining;
  }

  /** The session is released: its state is nobody's business any more. */
  forget(mediaId: string): void {
    this.#media.delete(mediaId);
  }

  /** All of it, in the order to be sent. */
  all(): HostMessage[] {
    const draining = this.#draining === undefined ? [] : [this.#draining];
    return [this.#health, ...draining, ...this.#media.values()];
  }
}
