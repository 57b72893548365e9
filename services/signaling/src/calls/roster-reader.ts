import type { Clock } from '@earshot/async';
import { isSameGuid } from '@earshot/call';
import type { GraphCalls } from '@earshot/graph';
import type { CallRecord, Registry } from '@earshot/registry';
import { applyNotification } from './call-changes.js';
import { isGone } from './graph-answers.js';
import { noteRosterRead } from './roster-reading.js';
import type { SourceBinder } from './source-binder.js';

/** What reading stands on. */
export interface RosterReaderOptions {
  readonly registry: Registry;
  readonly graph: GraphCalls;
  readonly sources: SourceBinder;
  readonly clock: Clock;
}

/** Asks Graph for the whole roster and folds it into the call. */
export class RosterReader {
  readonly #options: RosterReaderOptions;

  constructor(options: RosterReaderOptions) {
    this.#options = options;
  }

  /** Safe to repeat. `gone` when Graph no longer knows the call. Throws what has to be retried. */
  async read({ callId, tenantId, model }: CallRecord): Promise<'read' | 'gone'> {
    const { registry, graph, sources, clock } = this.#options;
    const { graphCallId, rosterSequence: asOf = 0 } = model;
    if (graphCallId === undefined) return 'read';
    const participants = await graph
      .listParticipants({ tenantId, graphCallId })
      .catch((error: unknown) => {
        if (isGone(error)) return undefined;
        throw error;
      });
    if (participants === undefined) return 'gone';
    const atMs = clock.wallclockMs();
    const roster = {
      kind: 'roster',
      changeType: 'updated',
      graphCallId,
      participants,
      asOf,
    } as const;
    const record = await registry.updateCall(callId, (current) => {
      // Another attempt may have begun meanwhile.
      if (!isSameGuid(current.model.graphCallId ?? '', graphCallId)) return current;
      // The bot itself is in every roster, so an empty one tells nothing.
      const isTelling = participants.length > 0;
      return noteRosterRead(isTelling ? applyNotification(current, roster, atMs) : current, atMs);
    });
    if (record.endedAtMs === undefined) await sources.bind(record);
    return 'read';
  }
}
