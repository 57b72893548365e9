import type { Cancel, Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type { GateBasis, GateState } from './gate-state.js';

/** Set by the class below, for this module alone: nobody else can make or revoke a permit. */
let issue: (basis: GateBasis, isFresh: () => boolean) => RecordingPermit;
let revoke: (permit: RecordingPermit) => void;
/** What is private to the compiler only, `Reflect.construct` reaches: it has no such key. */
const KEY = Symbol('recording permit');

/**
 * Leave to persist media of one call, and what is derived from them. Only an open gate gives one:
 * the constructor is private, and no object of another making has its type. It ends with the
 * gate: who holds it asks `isValid` before each write, or stops in `onRevoked`.
 */
export class RecordingPermit {
  /** Why recording is allowed. */
  readonly basis: GateBasis;
  readonly #listeners = new Set<() => void>();
  /** Timers come late when the process is busy; this does not. */
  readonly #isFresh: () => boolean;
  #isRevoked = false;

  static {
    issue = (basis, isFresh) => new RecordingPermit(KEY, basis, isFresh);
    revoke = (permit) => permit.#revoke();
  }

  private constructor(key: symbol, basis: GateBasis, isFresh: () => boolean) {
    if (key !== KEY) {
      throw new CodedError(
        'permit_forged',
        'Cannot make a recording permit: only an open gate may, got a call from elsewhere',
      );
    }
    this.basis = basis;
    this.#isFresh = isFresh;
  }

  /** False once the gate has closed, and for ever then. */
  get isValid(): boolean {
    if (!this.#isRevoked && !this.#isFresh()) this.#revoke();
    return !this.#isRevoked;
  }

  /** Calls `listener` once when the gate closes, or at once when it has. Undone by the result. */
  onRevoked(listener: () => void): Cancel {
    if (!this.isValid) {
      listener();
      return () => {};
    }
    const entry = (): void => listener();
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  #revoke(): void {
    if (this.#isRevoked) return;
    this.#isRevoked = true;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    const failures: unknown[] = [];
    for (const listener of listeners) {
      try {
        listener();
      } catch (error) {
        failures.push(error);
      }
    }
    // All others have stopped by now.
    if (failures.length > 0) throw failures[0];
  }
}

export interface RecordingGateOptions {
  readonly clock: Clock;
  /** How long the last word on the gate's state counts, ms; after that it is closed. */
  readonly staleAfterMs: number;
}

/**
 * The gate of one call as its recorder sees it: closed until it is told of an open one, and again
 * when it is told of a closed one, or of nothing for too long.
 */
export class RecordingGate {
  readonly #options: RecordingGateOptions;
  #permit: RecordingPermit | undefined;
  /** Which opening the permit is of. */
  #opening = -1;
  #freshUntilMs = 0;
  #cancelExpiry: Cancel | undefined;

  constructor(options: RecordingGateOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#permit?.isValid === true;
  }

  /** Takes the state that is stored; undefined, for none or an unreadable one, closes. */
  follow(gate: GateState | undefined): void {
    if (gate?.state !== 'open') {
      this.close();
      return;
    }
    const isSame = this.#permit?.isValid === true && this.#opening === gate.changes;
    if (!isSame) this.close();
    const { clock, staleAfterMs } = this.#options;
    this.#opening = gate.changes;
    this.#freshUntilMs = clock.nowMs() + staleAfterMs;
    this.#permit ??= issue(gate.basis, () => clock.nowMs() < this.#freshUntilMs);
    this.#cancelExpiry?.();
    this.#cancelExpiry = clock.at(this.#freshUntilMs, () => this.close());
  }

  /** The permit of the present opening, the same to all who ask; undefined while closed. */
  permit(): RecordingPermit | undefined {
    return this.#permit?.isValid === true ? this.#permit : undefined;
  }

  /** Revokes the permit. The gate may be told of another opening later. */
  close(): void {
    this.#cancelExpiry?.();
    this.#cancelExpiry = undefined;
    const permit = this.#permit;
    this.#permit = undefined;
    if (permit !== undefined) revoke(permit);
  }
}
