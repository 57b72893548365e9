import { randomBytes } from 'node:crypto';
import { systemClock } from '@earshot/async/system';
import { EventConsumer, Subscriptions } from '@earshot/events';
import { connection } from '../connection.js';

export interface EventsTailOptions {
  /** Redis of the deployment; by default that of the newest run of this checkout. */
  readonly redis?: string;
  /**
   * Consumers of one subscription share its events, and it lasts until it is removed. Without a
   * name the command has a subscription of its own, which ends with it.
   */
  readonly subscription?: string;
  /** End when the parent process goes away. */
  readonly parent?: boolean;
}

/** `earshot events tail`: prints each event as one line of JSON until interrupted. */
export async function eventsTail(options: EventsTailOptions): Promise<void> {
  const redisUrl = options.redis ?? connection().redisUrl;
  const subscription = options.subscription ?? `tail-${randomBytes(6).toString('hex')}`;
  const consumer = new EventConsumer({
    redisUrl,
    subscription,
    clock: systemClock,
    handler: (event) =>
      new Promise((resolve, reject) => {
        process.stdout.write(`${JSON.stringify(event)}\n`, (error) => {
          if (error) reject(error);
          else resolve();
        });
      }),
  });
  await consumer.start();
  await ended(options.parent ?? false);
  await consumer.close();
  if (options.subscription === undefined) await removeSubscription(redisUrl, subscription);
  // The IPC channel would keep the process alive.
  if (process.connected) process.disconnect();
}

async function removeSubscription(redisUrl: string, name: string): Promise<void> {
  const subscriptions = new Subscriptions({ redisUrl });
  try {
    await subscriptions.ready();
    await subscriptions.remove(name);
  } finally {
    await subscriptions.close();
  }
}

function ended(withParent: boolean): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
    if (withParent) process.once('disconnect', () => resolve());
  });
}
