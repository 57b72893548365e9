import type { Clock } from '@earshot/async';
import type { CallModel, SourceOwner, SourceOwners } from '@earshot/call';
import { selfOf, withOwner } from '@earshot/call';
import type { CallRecord, Registry } from '@earshot/registry';

/** What binding stands on. */
export interface SourceBinderOptions {
  readonly registry: Registry;
  readonly clock: Clock;
}

/** What this process last wrote of one call. */
interface Written {
  /** By source. */
  readonly owners: ReadonlyMap<string, SourceOwner>;
  readonly unmuted: number | undefined;
}

/**
 * Tells the registry which participant each audio source belongs to, and from when to when, so
 * that workers can name who spoke, and how many could be heard, so that they notice when they hear
 * nobody. Only what this process has not written before is written, in one step each.
 */
export class SourceBinder {
  readonly #options: SourceBinderOptions;
  /** By call. */
  readonly #written = new Map<string, Written>();

  constructor(options: SourceBinderOptions) {
    this.#options = options;
  }

  async bind({ callId, model }: CallRecord): Promise<void> {
    const written = this.#written.get(callId);
    const owners = ownersOf(model);
    const changed = changesBetween(written?.owners ?? new Map(), owners);
    if (changed.length > 0) await this.#write(callId, owners, changed);
    const unmuted = countUnmuted(model);
    if (unmuted !== written?.unmuted) await this.#options.registry.setUnmuted(callId, unmuted);
    this.#written.set(callId, { owners, unmuted });
  }

  forget(callId: string): void {
    this.#written.delete(callId);
  }

  /** Another process may have written since: what it did is read first. */
  async #write(
    callId: string,
    owners: ReadonlyMap<string, SourceOwner>,
    changed: readonly string[],
  ): Promise<void> {
    const { registry, clock } = this.#options;
    const known = await registry.sourceOwners(callId, changed);
    const atMs = clock.wallclockMs();
    const next = new Map<string, SourceOwners>();
    for (const sourceId of changed) {
      const before = known.get(sourceId) ?? [];
      const after = withOwner(before, owners.get(sourceId), atMs);
      if (after !== before) next.set(sourceId, after);
    }
    await registry.bindSources(callId, next);
  }
}

/** Whose the sources are by the roster; the later entry has a source that two claim. */
function ownersOf({ participants }: CallModel): Map<string, SourceOwner> {
  const owners = new Map<string, SourceOwner>();
  for (const { id, displayName, sourceIds } of Object.values(participants)) {
    const owner = { participantId: id, ...(displayName === undefined ? {} : { displayName }) };
    for (const sourceId of sourceIds.audio) owners.set(sourceId, owner);
  }
  return owners;
}

/** Sources that have another owner, by another name, or none any more. */
function changesBetween(
  before: ReadonlyMap<string, SourceOwner>,
  after: ReadonlyMap<string, SourceOwner>,
): string[] {
  const given = [...after].filter(([sourceId, owner]) => !isSame(before.get(sourceId), owner));
  const released = [...before.keys()].filter((sourceId) => !after.has(sourceId));
  return [...given.map(([sourceId]) => sourceId), ...released];
}

function isSame(a: SourceOwner | undefined, b: SourceOwner): boolean {
  return a?.participantId === b.participantId && a.displayName === b.displayName;
}

/** Those who could be heard, but for ourselves. */
function countUnmuted(model: CallModel): number {
  const self = selfOf(model)?.id;
  return Object.values(model.participants).filter(
    ({ id, isMuted, isServerMuted, isInLobby, sourceIds }) =>
      id !== self && !isMuted && !isServerMuted && !isInLobby && sourceIds.audio.length > 0,
  ).length;
}
