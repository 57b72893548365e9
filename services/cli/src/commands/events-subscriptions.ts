import { Subscriptions } from '@earshot/events';
import { connection } from '../connection.js';

export interface SubscriptionsOptions {
  /** Redis of the deployment; by default that of the newest run of this checkout. */
  readonly redis?: string;
}

/** `earshot events subscriptions list`: name, jobs that wait, dead letters, one a line. */
export async function eventsSubscriptionsList(options: SubscriptionsOptions): Promise<void> {
  for (const state of await withSubscriptions(options, (each) => each.list())) {
    const { name, jobs, deadLetters, isEphemeral } = state;
    console.log(`${name} ${jobs} ${deadLetters} ${isEphemeral ? 'ephemeral' : 'lasting'}`);
  }
}

/** `earshot events subscriptions add <name>`: its events wait from now on. */
export async function eventsSubscriptionsAdd(
  name: string,
  options: SubscriptionsOptions,
): Promise<void> {
  await withSubscriptions(options, (each) => each.add(name));
}

/** `earshot events subscriptions remove <name>`: with all that waits for its consumers. */
export async function eventsSubscriptionsRemove(
  name: string,
  options: SubscriptionsOptions,
): Promise<void> {
  await withSubscriptions(options, (each) => each.remove(name));
}

/** Runs short work on the subscriptions of a deployment. */
export async function withSubscriptions<T>(
  { redis }: SubscriptionsOptions,
  work: (subscriptions: Subscriptions) => Promise<T>,
): Promise<T> {
  const subscriptions = new Subscriptions({ redisUrl: redis ?? connection().redisUrl });
  try {
    await subscriptions.ready();
    return await work(subscriptions);
  } finally {
    await subscriptions.close();
  }
}
