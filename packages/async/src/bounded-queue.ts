/** What happens to a push when the queue is full. */
export type OverflowPolicy = 'dropOldest' | 'refuse';

export interface BoundedQueueOptions {
  /** Most items held; a positive integer. */
  readonly capacity: number;
  /** `dropOldest` makes room and counts the loss; `refuse` leaves the queue as it is. */
  readonly overflow: OverflowPolicy;
}

/** A first-in-first-out ring of fixed capacity; what it drops or refuses is counted. */
export class BoundedQueue<T> {
  readonly capacity: number;
  readonly overflow: OverflowPolicy;
  readonly #slots: (T | undefined)[];
  #head = 0;
  #size = 0;
  #dropped = 0;
  #refused = 0;

  constructor({ capacity, overflow }: BoundedQueueOptions) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(
        `Cannot create a queue: capacity must be a positive integer, got ${capacity}`,
      );
    }
    this.capacity = capacity;
    this.overflow = overflow;
    this.#slots = new Array<T | undefined>(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** Items dropped from the front to make room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Pushes turned away. */
  get refused(): number {
    return this.#refused;
  }

  /** Adds an item; false when it was refused. */
  push(item: T): boolean {
    if (this.#size === this.capacity) {
      if (this.overflow === 'refuse') {
        this.#refused += 1;
        return false;
      }
      this.shift();
      this.#dropped += 1;
    }
    this.#slots[(this.#head + this.#size) % this.capacity] = item;
    this.#size += 1;
    return true;
  }

  /** Takes the oldest item. */
  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.capacity;
    this.#size -= 1;
    return item;
  }

  /** The oldest item, left in place. */
  peek(): T | undefined {
    return this.#size === 0 ? undefined : this.#slots[this.#head];
  }
}
