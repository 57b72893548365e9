import type { Registry } from '@earshot/registry';
import { LRUCache } from 'lru-cache';
import { serviceState } from './service-state.js';

/** Far more than there are calls at a time. */
const CAPACITY = 5_000;

/** Which call a callback address belongs to, and what never changes about that call. */
export interface CallbackAttempt {
  readonly callId: string;
  readonly tenantId: string;
  readonly traceparent: string | undefined;
}

/**
 * Finds calls by their callback addresses. The record is read once for each address: with a full
 * roster it is half a megabyte, and Graph waits for its answer.
 */
export class CallbackAttempts {
  readonly #registry: Registry;
  readonly #known = new LRUCache<string, CallbackAttempt>({ max: CAPACITY });

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Undefined for an address of no call, or of one that was forgotten. */
  async find(attemptKey: string): Promise<CallbackAttempt | undefined> {
    const known = this.#known.get(attemptKey);
    if (known !== undefined) return known;
    const callId = await this.#registry.callIdOfAttempt(attemptKey);
    const record = callId === undefined ? undefined : await this.#registry.readCall(callId);
    if (record === undefined) return undefined;
    const { tenantId } = record;
    const attempt = {
      callId: record.callId,
      tenantId,
      traceparent: serviceState(record).traceparent,
    };
    this.#known.set(attemptKey, attempt);
    return attempt;
  }

  /** The call turned out to be forgotten. */
  forget(attemptKey: string): void {
    this.#known.delete(attemptKey);
  }
}
