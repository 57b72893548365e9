import { CodedError } from '@earshot/async';
import type { Keys } from './keys.js';
import type { RedisConnection } from './redis-connection.js';
import { LuaScript } from './redis-connection.js';

/** What somebody did, and what came of it. Holds no personal data. */
export interface AuditEntry {
  /** Stable name of what was done, such as `POST /v1/calls` or `recording.declare`. */
  readonly action: string;
  /** Id of the API key, or of the part of Earshot, that did it. */
  readonly actor: string;
  readonly callId?: string | undefined;
  readonly outcome: 'ok' | 'refused' | 'failed';
  /** HTTP status of the answer. */
  readonly status?: number | undefined;
  /** Code of the refusal or failure. */
  readonly code?: string | undefined;
  /** Whatever else belongs to it; short values. */
  readonly detail?: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** An entry as it was stored. */
export interface AuditRecord extends AuditEntry {
  /** Ids grow with time. */
  readonly id: string;
  /** Redis' clock, Unix ms. */
  readonly atMs: number;
}

export interface AuditPage {
  /** Newest first. */
  readonly records: readonly AuditRecord[];
  /** Absent on the last page. */
  readonly cursor?: string;
}

/** Entries beyond it push out the oldest. */
export const MAX_AUDIT_RECORDS = 100_000;
/** Older ones are removed. */
export const AUDIT_TTL_MS: number = 90 * 24 * 3_600_000;

/** An id of an entry. Nothing comes before 0-0, and Redis refuses to look there. */
const CURSOR = /^(?!0+-0+$)\d{1,16}-\d{1,16}$/;

/** The bound by number is exact; that by age is looked after with each entry. */
const APPEND = new LuaScript(`
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '=', ARGV[2], '*', 'entry', ARGV[1])
local oldest = tonumber(string.match(id, '^%d+')) - ARGV[3]
if oldest > 0 then redis.call('XTRIM', KEYS[1], 'MINID', '=', string.format('%.0f', oldest)) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return id`);

/** Who did what, for 90 days and 100 000 entries at most. */
export class AuditStore {
  readonly #redis: RedisConnection;
  readonly #key: string;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#key = keys.audit();
  }

  /**
   * Resolves once the entry is stored, on as many replicas as `minReplicas` of the address; after a
   * lost connection it may be stored twice.
   *
   * @throws CodedError `not_replicated`; the entry may last all the same.
   */
  async append(entry: AuditEntry): Promise<AuditRecord> {
    const args = [JSON.stringify(entry), MAX_AUDIT_RECORDS, AUDIT_TTL_MS];
    const id = await this.#redis.runReplicated(APPEND, [this.#key], args);
    return { ...entry, id: String(id), atMs: atMsOf(String(id)) };
  }

  /** A page, newest first. @throws CodedError `invalid_cursor`, `corrupt_audit_record`. */
  async list(options: { readonly limit: number; readonly cursor?: string }): Promise<AuditPage> {
    const { limit, cursor } = options;
    if (cursor !== undefined && !CURSOR.test(cursor)) {
      throw new CodedError(
        'invalid_cursor',
        'Cannot list the audit log: the cursor must come from a list',
      );
    }
    const end = cursor === undefined ? '+' : `(${cursor}`;
    const entries = await this.#redis.run((client) =>
      client.xrevrange(this.#key, end, '-', 'COUNT', limit),
    );
    const records = entries.map(([id, [, text = '']]) => recordOf(id, text));
    const last = entries.at(-1);
    return entries.length < limit || last === undefined
      ? { records }
      : { records, cursor: last[0] };
  }
}

function recordOf(id: string, text: string): AuditRecord {
  const value: unknown = JSON.parse(text);
  if (isAuditEntry(value)) return { ...value, id, atMs: atMsOf(id) };
  throw new CodedError(
    'corrupt_audit_record',
    'Cannot read the audit log: an entry must have action, actor and outcome, got another object',
  );
}

function isAuditEntry(value: unknown): value is AuditEntry {
  return (
    typeof value === 'object' &&
    value !== null &&
    'action' in value &&
    typeof value.action === 'string' &&
    'actor' in value &&
    typeof value.actor === 'string' &&
    'outcome' in value &&
    (value.outcome === 'ok' || value.outcome === 'refused' || value.outcome === 'failed')
  );
}

function atMsOf(id: string): number {
  return Number(id.split('-', 1)[0]);
}
