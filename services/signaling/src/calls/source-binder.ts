import type { CallRecord, Registry } from '@earshot/registry';

/**
 * Tells the registry which participant each audio source belongs to, so that workers can name
 * who speaks. Only what this process has not bound before is written.
 */
export class SourceBinder {
  readonly #registry: Registry;
  /** By call: source → participant and name as last written. */
  readonly #bound = new Map<string, Map<string, string>>();

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
  }

  forget(callId: string): void {
    this.#bound.delete(callId);
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
