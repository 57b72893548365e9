import { systemClock } from '@earshot/async/system';
import { EventConsumer } from '@earshot/events';
import { connection } from '../connection.js';

export interface EventsTailOptions {
  /** Redis of the deployment; by default that of the newest run of this checkout. */
  readonly redis?: string;
  /** Consumers of one subscription share its events; each subscription has them all. */
  readonly subscription: string;
  /** End when the parent process goes away. */
  readonly parent?: boolean;
}

/** `earshot events tail`: prints each event as one line of JSON until interrupted. */
export async function eventsTail(options: EventsTailOptions): Promise<void> {
  const consumer = new EventConsumer({
    redisUrl: options.redis ?? connection().redisUrl,
    subscription: options.subscription,
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
  // The IPC channel would keep the process alive.
  if (process.connected) process.disconnect();
}

function ended(withParent: boolean): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
    if (withParent) process.once('disconnect', () => resolve());
  });
}
