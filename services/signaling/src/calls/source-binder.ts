import type { CallModel } from '@earshot/call';
import { selfOf } from '@earshot/call';
import type { CallRecord, Registry } from '@earshot/registry';

/**
 * Tells the registry which participant each audio source belongs to, so that workers can name
 * who speaks, and how many could be heard, so that they notice when they hear nobody. Only what
 * this process has not written before is written.
 */
export class SourceBinder {
  readonly #registry: Registry;
  /** By call: source → participant and name as last written. */
  readonly #bound = new Map<string, Map<string, string>>();
  /** By call, as last written. */
  readonly #unmuted = new Map<string, number>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  async bind(record: CallRecord): Promise<void> {
    const bound = this.#boundOf(record.callId);
    for (const { id, displayName, sourceIds } of Object.values(record.model.participants)) {
      const binding = { participantId: id, ...(displayName === undefined ? {} : { displayName }) };
      const written = JSON.stringify(binding);
      for (const sourceId of sourceIds.audio) {
        if (bound.get(sourceId) === written) continue;
        await this.#registry.bindSource(record.callId, sourceId, binding);
        bound.set(sourceId, written);
      }
    }
    const unmuted = countUnmuted(record.model);
    if (this.#unmuted.get(record.callId) === unmuted) return;
    await this.#registry.setUnmuted(record.callId, unmuted);
    this.#unmuted.set(record.callId, unmuted);
  }

  forget(callId: string): void {
    this.#bound.delete(callId);
    this.#unmuted.delete(callId);
  }

  #boundOf(callId: string): Map<string, string> {
    let bound = this.#bound.get(callId);
    if (bound === undefined) {
      bound = new Map();
      this.#bound.set(callId, bound);
    }
    return bound;
  }
}

/** Those who could be heard, but for ourselves. */
function countUnmuted(model: CallModel): number {
  const self = selfOf(model)?.id;
  return Object.values(model.participants).filter(
    ({ id, isMuted, isServerMuted, isInLobby, sourceIds }) =>
      id !== self && !isMuted && !isServerMuted && !isInLobby && sourceIds.audio.length > 0,
  ).length;
}
