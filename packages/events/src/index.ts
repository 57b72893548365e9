export type {
  Digit,
  EarshotEvent,
  EventData,
  EventOf,
  EventType,
  FrameCounts,
  ParticipantData,
} from './event.js';
export type { ConsumerOptions, ConsumerStats } from './event-consumer.js';
export { EventConsumer } from './event-consumer.js';
export { eventCounts } from './event-counts.js';
export type {
  CloseOptions,
  OutboxState,
  PublisherOptions,
  PublisherStats,
} from './event-publisher.js';
export { EventPublisher } from './event-publisher.js';
export { EVENT_TYPES, eventJsonSchema, eventSchema, parseEvent } from './event-schema.js';
export { PARTITIONS, partitionOf } from './partition.js';
export type { RecentEventsOptions, RecentPage } from './recent-events.js';
export { RecentEvents } from './recent-events.js';
export type { DeadLetter, SubscriptionState, SubscriptionsOptions } from './subscriptions.js';
export { Subscriptions } from './subscriptions.js';
