import type { Clock } from '@earshot/async';
import type { EarshotEvent } from './event.js';

export interface ConsumerOptions {
  /** `redis://…` or the absolute path of a unix socket. */
  readonly redisUrl: string;
  /** Called for one event after the other of a call; resolve when done with it. */
  readonly handler: (event: EarshotEvent) => Promise<void> | void;
  /** Consumers of one subscription share its events. @defaultValue default */
  readonly subscription?: string;
  /** Before every key. @defaultValue earshot */
  readonly prefix?: string;
  readonly clock: Clock;
  /** Told of connection failures and of handler failures; consuming goes on. */
  readonly onError?: (error: unknown) => void;
}

export interface ConsumerStats {
  readonly delivered: number;
  readonly duplicates: number;
  readonly failed: number;
}

export class EventConsumer {
  constructor(_options: ConsumerOptions) {}

  start(): Promise<void> {
    throw new Error('being written');
  }

  get stats(): ConsumerStats {
    throw new Error('being written');
  }

  close(): Promise<void> {
    throw new Error('being written');
  }
}
