import type { AuditEntry, AuditStore } from '@earshot/registry';
import type { Counter, Log, Metrics } from '@earshot/telemetry';

/** Entries that are being stored; more are not waited for, as while Redis is away. */
const MAX_PENDING = 1_000;

/** What the log stands on. */
export interface AuditOptions {
  readonly store: Pick<AuditStore, 'append'>;
  readonly log: Log;
  readonly metrics: Metrics;
}

/**
 * Who did what: stored for all processes, and told in one line of the log. Entries hold ids and
 * codes, never personal data.
 */
export class Audit {
  readonly #store: AuditOptions['store'];
  readonly #log: Log;
  readonly #records: Counter<'outcome'>;
  readonly #pending = new Set<Promise<void>>();

  constructor({ store, log, metrics }: AuditOptions) {
    this.#store = store;
    this.#log = log;
    this.#records = metrics.counter({
      name: 'audit_records_total',
      help: 'Entries of the audit log: stored, or lost because Redis did not take them.',
      labelNames: ['outcome'],
    });
  }

  /**
   * Resolves once the entry is durable: for what must not happen without it.
   *
   * @throws CodedError `redis_unreachable`; the entry may be stored all the same.
   */
  async record(entry: AuditEntry): Promise<void> {
    try {
      const { id } = await this.#store.append(entry);
      this.#records.add(1, { outcome: 'stored' });
      this.#log.info('audit', { auditId: id, ...entry });
    } catch (error) {
      this.#lose(entry, error);
      throw error;
    }
  }

  /** For what has happened already. Whatever becomes of the entry, the log has its line. */
  note(entry: AuditEntry): void {
    if (this.#pending.size >= MAX_PENDING) {
      this.#lose(entry, undefined);
      return;
    }
    const stored = this.record(entry)
      .catch(() => {})
      .finally(() => this.#pending.delete(stored));
    this.#pending.add(stored);
  }

  /** Resolves once nothing is under way. */
  async drain(): Promise<void> {
    await Promise.all(this.#pending);
  }

  #lose(entry: AuditEntry, error: unknown): void {
    this.#records.add(1, { outcome: 'lost' });
    this.#log.warn('audit entry not stored', { ...entry, error });
  }
}
