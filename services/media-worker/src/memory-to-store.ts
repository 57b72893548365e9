import type { CallFindings } from './call-findings.js';
import type { CallMemory } from './call-memory.js';

/** What is known of a call beside its streams, on its way to be stored with their positions. */
export class MemoryToStore {
  readonly #findings: Pick<CallFindings, 'memory' | 'takeNews'>;
  #taken: CallMemory;
  #isNew = false;

  constructor(findings: Pick<CallFindings, 'memory' | 'takeNews'>) {
    this.#findings = findings;
    this.#taken = findings.memory;
  }

  /** What was taken is not stored, and differs from what was stored before. */
  get isNew(): boolean {
    return this.#isNew;
  }

  /** Takes what is known now: as the positions that are taken now, no more and no less. */
  take(): void {
    this.#taken = this.#findings.memory;
    this.#isNew = this.#findings.takeNews() || this.#isNew;
  }

  /** Has what was taken be stored by `put`; it stays new when that fails. */
  async store<Result>(put: (memory: CallMemory) => Promise<Result>): Promise<Result> {
    this.#isNew = false;
    try {
      return await put(this.#taken);
    } catch (error) {
      this.#isNew = true;
      throw error;
    }
  }
}
