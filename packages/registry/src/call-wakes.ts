import type { RedisClient } from '@earshot/redis-client';
import type { RedisConnection } from './redis-connection.js';

/** Hears of calls in which something changed, over a connection of its own. */
export class CallWakes {
  readonly #redis: RedisConnection;
  readonly #channel: string;
  #subscriber: RedisClient | undefined;

  constructor(redis: RedisConnection, channel: string) {
    this.#redis = redis;
    this.#channel = channel;
  }

  /**
   * Tells `listener` of each change from now on, whoever made it. What happens while Redis is away
   * is not told: look by yourself now and then. Call once.
   */
  async listen(listener: (callId: string) => void): Promise<void> {
    const subscriber = this.#redis.subscriber();
    this.#subscriber = subscriber;
    subscriber.on('message', (_channel: string, callId: string) => listener(callId));
    await this.#redis.run(() => subscriber.subscribe(this.#channel));
  }

  /** Tells whoever listens, in this and all other processes. */
  async wake(callId: string): Promise<void> {
    await this.#redis.run((client) => client.publish(this.#channel, callId));
  }

  close(): void {
    this.#subscriber?.disconnect();
  }
}
