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
  /** Released, and not yet known to be ended: their last state is told once and not kept. */
  readonly #released = new Set<string>();
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
    if (this.#released.has(mediaId)) {
      if (state === 'ended') this.#released.delete(mediaId);
      return message;
    }
    this.#media.delete(mediaId);
    this.#media.set(mediaId, message);
    dropOldest(this.#media);
    return message;
  }

  drain(): DrainingMessage {
    this.#draining = { type: 'draining' };
    return this.#draining;
  }

  /** The session is released: its state is nobody's business any more. */
  forget(mediaId: string): void {
    const isOver = this.#media.get(mediaId)?.state === 'ended';
    // Of a session that it never told of, nothing need come any more: signaling may name any.
    if (this.#media.delete(mediaId) && !isOver) this.#released.add(mediaId);
    dropOldest(this.#released);
  }

  /** All of it, in the order to be sent. */
  all(): HostMessage[] {
    const draining = this.#draining === undefined ? [] : [this.#draining];
    return [this.#health, ...draining, ...this.#media.values()];
  }
}

function dropOldest(kept: {
  readonly size: number;
  keys(): Iterable<string>;
  delete(key: string): boolean;
}): void {
  if (kept.size <= MAX_MEDIA_STATES) return;
  for (const oldest of kept.keys()) {
    kept.delete(oldest);
    return;
  }
}
