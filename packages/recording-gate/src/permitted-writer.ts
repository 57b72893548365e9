import type { Cancel } from '@earshot/async';
import type { RecordingPermit } from './recording-gate.js';

/** Where a recording goes: a file, an upload, a database. */
export interface RecordingSink<Item> {
  write(item: Item): void;
  /** Finishes what was written; called once. */
  close(): void;
}

/**
 * The only way to a sink: writes while the permit is valid, and closes the sink in the moment in
 * which it ends. A recorder is made of this, so that without a permit there is none.
 */
export class PermittedWriter<Item> {
  readonly #permit: RecordingPermit;
  readonly #sink: RecordingSink<Item>;
  /** Nothing to undo yet when the permit ends while the sink is opened. */
  #cancel: Cancel = () => {};
  #isClosed = false;
  #refused = 0;

  /** @param openSink called at once while the permit is valid, else never. */
  constructor(permit: RecordingPermit, openSink: () => RecordingSink<Item>) {
    this.#permit = permit;
    this.#isClosed = !permit.isValid;
    this.#sink = this.#isClosed ? NOWHERE : openSink();
    this.#cancel = permit.onRevoked(() => this.close());
  }

  /** Items that came when nothing could be written any more. */
  get refused(): number {
    return this.#refused;
  }

  /** False, and counted, when the permit has ended or the writer was closed. */
  write(item: Item): boolean {
    if (this.#isClosed || !this.#permit.isValid) {
      this.#refused += 1;
      return false;
    }
    this.#sink.write(item);
    return true;
  }

  /** Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancel();
    this.#sink.close();
  }
}

const NOWHERE: RecordingSink<unknown> = { write() {}, close() {} };
