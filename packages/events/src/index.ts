export type { CollectDigitsOptions, CollectedDigits, DigitCollection } from './collect-digits.js';
export { collectDigits } from './collect-digits.js';
export type {
  DeadLetter,
  DeadLetterFilter,
  DeadLetterPage,
  DeadLetterQuery,
} from './dead-letters.js';
export type {
  Digit,
  EarshotEvent,
  EventData,
  EventOf,
  EventType,
  FrameCounts,
  ParticipantData,
  TalkTime,
  ToneKind,
  TranscriptData,
} from './event.js';
export { CONTENT_TYPES } from './event.js';
export type {
  ConsumerCloseOptions,
  ConsumerOptions,
  ConsumerSettings,
  ConsumerStats,
} from './event-consumer.js';
export { EventConsumer } from './event-consumer.js';
export { eventCounts } from './event-counts.js';
export type {
  CloseOptions,
  OutboxState,
  PublisherOptions,
  PublisherStats,
} from './event-publisher.js';
export { EventPublisher } from './event-publisher.js';
export { EVENT_TYPES, eventSchema, parseEvent } from './event-schema.js';
export type {
  BatchHandler,
  EventHandler,
  HandlerContext,
  Handling,
  TypedHandlers,
} from './handling.js';
export { eventJsonSchema } from './json-schema.js';
export { PARTITIONS, partitionOf } from './partition.js';
export type { RecentEventsOptions, RecentPage } from './recent-events.js';
export { RecentEvents } from './recent-events.js';
export type { ReplayResult, SubscriptionState, SubscriptionsOptions } from './subscriptions.js';
export { Subscriptions } from './subscriptions.js';
