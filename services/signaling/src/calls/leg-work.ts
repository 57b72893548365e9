import type { Clock } from '@earshot/async';
import type { GraphCalls } from '@earshot/graph';
import type { CallRecord, Registry } from '@earshot/registry';
import type { Log } from '@earshot/telemetry';
import type { SignalingMetrics } from '../metrics.js';
import { isGone } from './graph-answers.js';
import type { StrayLeg } from './leg-state.js';
import { LEG_LIFE_MS, straysLeft, withStrayGone } from './leg-state.js';
import { serviceState, withService } from './service-state.js';

/** What the duties stand on. */
export interface LegWorkOptions {
  readonly registry: Registry;
  readonly graph: GraphCalls;
  readonly metrics: SignalingMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

/** Legs in Graph that no call wants any more. */
export class LegWork {
  readonly #options: LegWorkOptions;

  constructor(options: LegWorkOptions) {
    this.#options = options;
  }

  /** Deletes the legs of earlier attempts. Throws what has to be retried. */
  async deleteStrays(record: CallRecord): Promise<void> {
    for (const stray of straysLeft(serviceState(record).leg)) await this.#delete(record, stray);
  }

  /** A call that was closed, and in which something came to light, is closed for good. */
  async closeAgain({ callId }: CallRecord): Promise<void> {
    await this.#options.registry.updateCall(callId, ({ reopened: _, ...record }) => record);
  }

  async #delete({ callId, tenantId }: CallRecord, stray: StrayLeg): Promise<void> {
    const { registry, graph, metrics, clock, log } = this.#options;
    const { graphCallId, foundAtMs } = stray;
    try {
      await graph.delete({ tenantId, graphCallId });
      metrics.strayLegs.add(1, { found: 'earlierAttempt' });
      log.warn('leg of an earlier attempt deleted', { callId, graphCallId });
    } catch (error) {
      // Graph has ended it by itself in the meantime.
      const isOver = isGone(error) || clock.wallclockMs() - foundAtMs > LEG_LIFE_MS;
      if (!isOver) throw error;
    }
    await registry.updateCall(callId, (current) => {
      const { leg } = serviceState(current);
      return leg === undefined ? current : withService(current, { leg: withStrayGone(leg, stray) });
    });
  }
}
