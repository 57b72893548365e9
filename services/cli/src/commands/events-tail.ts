import { randomBytes } from 'node:crypto';
import { systemClock } from '@earshot/async/system';
import type { EarshotEvent, HandlerContext } from '@earshot/events';
import { EventConsumer } from '@earshot/events';
import { connection } from '../connection.js';

export interface EventsTailOptions {
  /** Redis of the deployment; by default that of the newest run of this checkout. */
  readonly redis?: string;
  /**
   * Consumers of one subscription share its events, and it lasts until it is removed. Without a
   * name the command has a subscription of its own, which ends with it, or half a minute after it
   * was killed.
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
    isEphemeral: options.subscription === undefined,
    clock: systemClock,
    // What could not be written stays unhandled, for others of the subscription.
    handler: print,
  });
  const { asked, unread } = endRequested(options.parent ?? false);
  try {
    await consumer.start();
    await Promise.race([asked, unread]);
  } finally {
    // Who reads may go while it closes, as a parent does that was killed: then the event that
    // nobody reads must not be waited for.
    void unread.then(() => consumer.close({ deadlineMs: 0 }));
    await consumer.close();
    // The IPC channel would keep the process alive.
    if (process.connected) process.disconnect();
  }
}

function print(event: EarshotEvent, { signal }: HandlerContext): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', reject);
    process.stdout.write(`${JSON.stringify(event)}\n`, (error) => {
      if (error) return;
      signal.removeEventListener('abort', reject);
      resolve();
    });
  });
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
