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

/** `earshot events tail`: prints each event as one line of JSON until interrupted or unread. */
export async function eventsTail(options: EventsTailOptions): Promise<void> {
  const redisUrl = options.redis ?? connection().redisUrl;
  const subscription = options.subscription ?? `tail-${randomBytes(6).toString('hex')}`;
  const consumer = new EventConsumer({
    redisUrl,
    subscription,
    clock: systemClock,
    // What could not be written stays unhandled, for others of the subscription.
    handler: (event) =>
      new Promise((resolve) => {
        process.stdout.write(`${JSON.stringify(event)}\n`, (error) => {
          if (!error) resolve();
        });
      }),
  });
  const { asked, unread } = endRequested(options.parent ?? false);
  let isUnread = false;
  try {
    await consumer.start();
    isUnread = (await Promise.race([asked, unread])) === 'unread';
  } finally {
    // The event that nobody reads would keep the consumer from closing in good order; who reads
    // may go while it closes, as a parent does that was killed.
    if (!isUnread) isUnread = (await Promise.race([consumer.close(), unread])) === 'unread';
    // The IPC channel would keep the process alive.
    if (process.connected) process.disconnect();
  }
  if (options.subscription === undefined) await removeSubscription(redisUrl, subscription);
  if (isUnread) process.exit();
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

/** Asked for from the first moment: who reads, and a parent, may go while the command starts. */
function endRequested(withParent: boolean): { asked: Promise<void>; unread: Promise<'unread'> } {
  const unread = new Promise<'unread'>((resolve) => {
    process.stdout.on('error', () => resolve('unread'));
  });
  const asked = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => resolve());
    if (!withParent) return;
    process.once('disconnect', resolve);
    if (!process.connected) resolve();
  });
  return { asked, unread };
}
