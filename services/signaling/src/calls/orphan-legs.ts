import type { Clock } from '@earshot/async';
import type { CallNotification } from '@earshot/call';
import { normalisedId, parseNotifications } from '@earshot/call';
import type { GraphCalls } from '@earshot/graph';
import type { Log } from '@earshot/telemetry';
import { LRUCache } from 'lru-cache';
import type { SignalingMetrics } from '../metrics.js';
import { isGone } from './graph-answers.js';
import { isSignOfLife } from './leg-state.js';

/** A leg is not asked to go again before. Its next callback brings it up. */
const AGAIN_AFTER_MS = 60_000;
const REMEMBERED = 1_000;
/** Beyond, the next callback will do. */
const MAX_AT_ONCE = 8;

/** What the deletion of orphans stands on. */
export interface OrphanLegsOptions {
  readonly graph: GraphCalls;
  readonly metrics: SignalingMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Legs that write to a callback address of ours of which no call is known any more: its record
 * expired or was lost with Redis. Nobody would keep them alive or hang up, so they are deleted.
 */
export class OrphanLegs {
  readonly #options: OrphanLegsOptions;
  readonly #asked: LRUCache<string, true>;
  readonly #running = new Set<Promise<void>>();

  constructor(options: OrphanLegsOptions) {
    this.#options = options;
    this.#asked = new LRUCache<string, true>({
      max: REMEMBERED,
      ttl: AGAIN_AFTER_MS,
      ttlResolution: 0,
      perf: { now: () => options.clock.wallclockMs() },
    });
  }

  /** @param tenantId of the callback's token, which was checked. */
  found(tenantId: string, body: unknown): void {
    const parsed = parseNotifications(body);
    if (!parsed.ok) return;
    for (const graphCallId of legsOf(parsed.items)) {
      const key = normalisedId(graphCallId);
      if (this.#asked.has(key) || this.#running.size >= MAX_AT_ONCE) continue;
      this.#asked.set(key, true);
      const deletion = this.#delete(tenantId, graphCallId).finally(() => {
        this.#running.delete(deletion);
      });
      this.#running.add(deletion);
    }
  }

  /** What is under way is waited for. */
  async close(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #delete(tenantId: string, graphCallId: string): Promise<void> {
    const { graph, metrics, log } = this.#options;
    try {
      await graph.delete({ tenantId, graphCallId });
      metrics.strayLegs.add(1, { found: 'forgotten' });
      log.warn('leg of a forgotten call deleted', { graphCallId });
    } catch (error) {
      if (!isGone(error)) log.warn('leg of a forgotten call not deleted', { graphCallId, error });
    }
  }
}

function legsOf(items: readonly CallNotification[]): Set<string> {
  return new Set(items.filter(isSignOfLife).flatMap(({ graphCallId }) => graphCallId ?? []));
}
