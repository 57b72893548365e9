import { CodedError } from '@earshot/async';
import { storedGateKey } from '@earshot/recording-gate';
import { partitionOf } from './partition.js';

/** The subscription that every publisher serves, registered or not, until it is removed. */
export const DEFAULT_SUBSCRIPTION = 'default';

/** Among the subscriptions, where no name can be: `default` was removed. */
export const DEFAULT_REMOVED = '!default';

/** The name of every job. */
export const JOB_NAME = 'events';

/**
 * Names of everything this package keeps in Redis; documented in the README. All of one partition
 * has one hash tag, so that one script can change it together, in a cluster too.
 */
export class Names {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Before all keys of a partition; BullMQ's `prefix` of its queues. */
  readonly partition = (partition: number): string => `${this.#prefix}:{events-${partition}}`;
  /** The BullMQ queue of a partition of a subscription. */
  readonly queue = (subscription: string, partition: number): string =>
    `events-${subscription}-${partition}`;
  /** What is before and after a subscription's name in the keys of its queue in a partition. */
  readonly aroundSubscription = (partition: number): readonly [string, string] => [
    `${this.partition(partition)}:events-`,
    `-${partition}:`,
  ];
  /** Set of names; each partition has a copy, for the script that publishes. */
  readonly subscriptions = (partition: number): string =>
    `${this.partition(partition)}:subscriptions`;
  /** Hash: `published`, and `fence`, the newest epoch. */
  readonly call = (callId: string): string => `${this.#ofCall(callId)}:call:${callId}`;
  /** String: number of the publisher's newest batch in this partition. */
  readonly lastBatch = (partition: number, publisherId: string): string =>
    `${this.partition(partition)}:last-batch:${publisherId}`;
  /** Set of the ids of events that were handled. */
  readonly handled = (callId: string, subscription: string): string =>
    `${this.#ofCall(callId)}:handled:${subscription}:${callId}`;
  /** Hash: id of an event to how often it was begun, where consumers die. */
  readonly begun = (callId: string, subscription: string): string =>
    `${this.#ofCall(callId)}:begun:${subscription}:${callId}`;
  /** Sorted set: names of subscriptions of single consumers, by when they end, Unix ms. */
  readonly ephemeralSubscriptions = (): string => `${this.#prefix}:ephemeral-subscriptions`;
  /** Stream of events that could not be handled. */
  readonly deadLetters = (subscription: string): string =>
    `${this.#prefix}:{dead-events:${subscription}}:letters`;

  /** Hash: the state of a call's recording gate; signaling writes it. */
  readonly recordingGate = (callId: string): string => storedGateKey(this.#prefix, callId);

  #ofCall(callId: string): string {
    return this.partition(partitionOf(callId));
  }
}

/** @throws CodedError `invalid_subscription`: the name becomes part of a queue's name. */
export function checkSubscription(name: string): string {
  if (/^[A-Za-z0-9_.-]{1,64}$/.test(name)) return name;
  throw new CodedError(
    'invalid_subscription',
    'Cannot use the subscription: its name must be 1 to 64 of A-Z a-z 0-9 _ . -, got another',
  );
}
