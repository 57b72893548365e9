import { CodedError } from '@earshot/async';

/** The subscription that every publisher serves, registered or not. */
export const DEFAULT_SUBSCRIPTION = 'default';

/** The name of every job. */
export const JOB_NAME = 'events';

/** Names of everything this package keeps in Redis; documented in the README. */
export class Names {
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** The BullMQ queue of a partition of a subscription. */
  readonly queue = (subscription: string, partition: number): string =>
    `events-${subscription}-${partition}`;
  /** Set of names. */
  readonly subscriptions = (): string => `${this.prefix}:event-subscriptions`;
  /** Hash: `published`, and per publisher the number of the last batch counted. */
  readonly counts = (callId: string): string => `${this.prefix}:{${callId}}:event-counts`;
  /** Set of the ids of events that were handled. */
  readonly handled = (callId: string, subscription: string): string =>
    `${this.prefix}:{${callId}}:events-handled:${subscription}`;
  /** List of events that could not be handled, newest first. */
  readonly deadLetters = (subscription: string): string =>
    `${this.prefix}:dead-events:${subscription}`;
}

/** @throws CodedError `invalid_subscription`: the name becomes part of a queue's name. */
export function checkSubscription(name: string): string {
  if (/^[A-Za-z0-9_.-]{1,64}$/.test(name)) return name;
  throw new CodedError(
    'invalid_subscription',
    'Cannot use the subscription: its name must be 1 to 64 of A-Z a-z 0-9 _ . -, got another',
  );
}
