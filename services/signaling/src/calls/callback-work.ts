import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type { CallNotification } from '@earshot/call';
import { parseNotifications } from '@earshot/call';
import type { CallbackBody, CallRecord, Registry } from '@earshot/registry';
import type { Log } from '@earshot/telemetry';
import type { SignalingMetrics } from '../metrics.js';
import { applyNotification, applyToEarlierAttempt } from './call-changes.js';
import type { SourceBinder } from './source-binder.js';

/** What folding stands on. */
export interface CallbackWorkOptions {
  readonly registry: Registry;
  readonly sources: SourceBinder;
  readonly metrics: SignalingMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

/** Why a body, or an item of it, was set aside. */
type AsideCode = 'unreadable' | 'failed' | 'corrupt_call_record';

/**
 * Folds stored callback bodies into their calls. What our own code can't digest is set aside, so
 * that it never holds up those behind it; only Redis being away does.
 */
export class CallbackWork {
  readonly #options: CallbackWorkOptions;

  constructor(options: CallbackWorkOptions) {
    this.#options = options;
  }

  /** The call as it is then; undefined when there is nothing to tell of. */
  async fold(callId: string, body: CallbackBody): Promise<CallRecord | undefined> {
    const { registry, sources } = this.#options;
    const items = itemsOf(body.raw);
    if (items === undefined) return this.#setAside(callId, body, 'unreadable');
    const failures: unknown[] = [];
    try {
      const record = await registry.updateCall(callId, (current) => {
        // Another pod may have been faster: what counts is the last time.
        failures.length = 0;
        return this.#foldAll(current, body, items, failures);
      });
      // What the others changed is told of by a duty of the record.
      if (failures.length > 0) return this.#setAside(callId, body, 'failed', failures[0]);
      // Once a call is closed its names are about to be forgotten.
      if (record.endedAtMs === undefined) await sources.bind(record);
      return record;
    } catch (error) {
      // A record that expired meanwhile, or that can't be read, will be no better the next time.
      if (hasCode(error, 'call_not_found')) return undefined;
      if (!hasCode(error, 'corrupt_call_record')) throw error;
      return this.#setAside(callId, body, 'corrupt_call_record', error);
    }
  }

  /** One item that fails does not cost the others. */
  #foldAll(
    record: CallRecord,
    { attemptKey = record.attemptKey }: CallbackBody,
    items: readonly CallNotification[],
    failures: unknown[],
  ): CallRecord {
    const atMs = this.#options.clock.wallclockMs();
    const apply = attemptKey === record.attemptKey ? applyNotification : applyToEarlierAttempt;
    let next = record;
    for (const item of items) {
      try {
        next = apply(next, item, atMs);
      } catch (error) {
        failures.push(error);
      }
    }
    return next;
  }

  async #setAside(
    callId: string,
    { raw }: CallbackBody,
    code: AsideCode,
    error?: unknown,
  ): Promise<undefined> {
    const { registry, metrics, log } = this.#options;
    metrics.callbacks.add(1, { outcome: 'aside' });
    log.error('notification set aside', { callId, code, error });
    await registry.setNotificationAside(callId, { raw, code });
    return undefined;
  }
}

function itemsOf(raw: string): readonly CallNotification[] | undefined {
  try {
    const parsed = parseNotifications(JSON.parse(raw));
    return parsed.ok ? parsed.items : undefined;
  } catch {
    return undefined;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof CodedError && error.code === code;
}
