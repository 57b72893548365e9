import { CodedError } from '@earshot/async';
import type { EarshotEvent, EventOf, EventType } from './event.js';

export interface HandlerContext {
  /**
   * Aborted when the batch is no longer this consumer's: another may be at the same event. Stop,
   * and throw or resolve; what is thrown then does not count as a failure.
   */
  readonly signal: AbortSignal;
}

/** Resolve when done with the event; throw when it can't be handled. */
export type EventHandler<Event = EarshotEvent> = (
  event: Event,
  context: HandlerContext,
) => Promise<void> | void;

/** Resolve when done with all of them; throw when one of them can't be handled. */
export type BatchHandler = (
  events: readonly EarshotEvent[],
  context: HandlerContext,
) => Promise<void> | void;

/** A handler for each type of event that is of interest. */
export type TypedHandlers = { readonly [Type in EventType]?: EventHandler<EventOf<Type>> };

/** What happens to the events: a handler, handlers by type, both, or one of batches. */
export type Handling =
  | {
      /** Takes the events that `on` names no handler for. */
      readonly handler: EventHandler;
      readonly on?: TypedHandlers | undefined;
      readonly batchHandler?: undefined;
    }
  | {
      /** Events of other types are taken as handled. */
      readonly on: TypedHandlers;
      readonly handler?: undefined;
      readonly batchHandler?: undefined;
    }
  | {
      /**
       * Takes what waits, up to `maxEvents` at once, of any calls, in order. What it throws on is
       * given to it again, event by event.
       */
      readonly batchHandler: BatchHandler;
      /** @defaultValue 100 */
      readonly maxEvents?: number | undefined;
      readonly handler?: undefined;
      readonly on?: undefined;
    };

export interface BatchTaker {
  readonly maxEvents: number;
  readonly take: BatchHandler;
}

const DEFAULT_MAX_EVENTS = 100;

/** Any handling, as a handler of batches. @throws CodedError `invalid_handling`. */
export function batchTaker(handling: Handling): BatchTaker {
  const { handler, on, batchHandler } = handling;
  if (batchHandler !== undefined) {
    if (handler !== undefined || on !== undefined) throw invalid('batchHandler beside others');
    const { maxEvents = DEFAULT_MAX_EVENTS } = handling;
    if (!(Number.isInteger(maxEvents) && maxEvents > 0)) throw invalid(`maxEvents ${maxEvents}`);
    return { maxEvents, take: batchHandler };
  }
  if (handler === undefined && on === undefined) throw invalid('none');
  return { maxEvents: 1, take: oneByOne(handler, on ?? {}) };
}

function oneByOne(handler: EventHandler | undefined, on: TypedHandlers): BatchHandler {
  return async ([event], context) => {
    if (event === undefined) return;
    // The handler under the name of a type takes events of that type.
    const handle = (on[event.type] as EventHandler | undefined) ?? handler;
    await handle?.(event, context);
  };
}

function invalid(actual: string): CodedError {
  return new CodedError(
    'invalid_handling',
    `Cannot consume events: there must be a handler, handlers by type, or a batchHandler with maxEvents from 1, got ${actual}`,
  );
}
