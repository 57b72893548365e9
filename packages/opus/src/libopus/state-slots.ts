import { poolExhausted } from '../opus-options.js';
import type { MemoryLayout } from './memory-layout.js';

export interface StateSlotsOptions {
  readonly kind: 'decoder' | 'encoder';
  readonly capacity: number;
  /** Of one state; a multiple of `ALIGNMENT`. */
  readonly stateBytes: number;
  readonly layout: MemoryLayout;
  /** Told of each state before it is in use for the first time. */
  make?(state: number): void;
}

/**
 * The states of a pool, side by side in the codec's memory. Policy: at most `capacity` in use, then
 * refused; what was given back is taken first. Those never taken are untouched memory.
 */
export class StateSlots {
  readonly capacity: number;
  readonly #kind: 'decoder' | 'encoder';
  readonly #first: number;
  readonly #stateBytes: number;
  readonly #make: (state: number) => void;
  readonly #idle: number[] = [];
  /** States that were ever in use. */
  #made = 0;

  constructor({ kind, capacity, stateBytes, layout, make = () => {} }: StateSlotsOptions) {
    this.capacity = capacity;
    this.#kind = kind;
    this.#stateBytes = stateBytes;
    this.#make = make;
    this.#first = layout.take(capacity * stateBytes);
  }

  get inUse(): number {
    return this.#made - this.#idle.length;
  }

  /**
   * Where a state lies that nobody uses.
   *
   * @throws CodedError `decoder_pool_exhausted`, `encoder_pool_exhausted`.
   */
  take(): number {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#made >= this.capacity) throw poolExhausted(this.#kind, this.capacity);
    const state = this.#first + this.#made * this.#stateBytes;
    this.#make(state);
    this.#made += 1;
    return state;
  }

  /** Takes back what `take` gave. */
  readonly giveBack = (state: number): void => {
    this.#idle.push(state);
  };
}
