import { LRUCache } from 'lru-cache';
import type { CallRecord } from './call-record.js';

/** Of their JSON together. A record with a full roster of 1000 has half a million. */
const MAX_CHARACTERS = 16 * 1024 * 1024;

/** A record, and the nonce of the write that it came from: no two writes share one. */
export interface KnownRecord {
  readonly nonce: string;
  readonly record: CallRecord;
}

/**
 * Records as this pod saw them last. They may be old: who uses one asks Redis first whether its
 * nonce is still the newest, which spares sending and reading the record again.
 */
export class KnownRecords {
  readonly #records = new LRUCache<string, KnownRecord>({ maxSize: MAX_CHARACTERS });

  get(callId: string): KnownRecord | undefined {
    return this.#records.get(callId);
  }

  /** @param characters of the record's JSON. */
  set(callId: string, known: KnownRecord, characters: number): void {
    this.#records.set(callId, known, { size: Math.max(1, characters) });
  }

  forget(callId: string): void {
    this.#records.delete(callId);
  }
}
