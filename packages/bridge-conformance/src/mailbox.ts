import type { Clock } from '@earshot/async';

/** Things in the order in which they came, to be waited for. */
export class Mailbox<T> {
  readonly items: T[] = [];
  readonly #clock: Clock;
  readonly #watchers = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  push(item: T): void {
    this.items.push(item);
    for (const watch of [...this.#watchers]) watch();
  }

  /** The first item from index `from` on that matches; undefined when there is none in time. */
  find<Found extends T>(
    matches: (item: T) => item is Found,
    withinMs: number,
    from?: number,
  ): Promise<Found | undefined>;
  find(matches: (item: T) => boolean, withinMs: number, from?: number): Promise<T | undefined>;
  find(matches: (item: T) => boolean, withinMs: number, from = 0): Promise<T | undefined> {
    let next = from;
    const look = (): T | undefined => {
      for (; next < this.items.length; next += 1) {
        const item = this.items[next]!;
        if (matches(item)) return item;
      }
      return undefined;
    };
    return new Promise((resolve) => {
      const settle = (found: T | undefined): void => {
        cancel();
        this.#watchers.delete(watch);
        resolve(found);
      };
      const watch = (): void => {
        const found = look();
        if (found !== undefined) settle(found);
      };
      const cancel = this.#clock.at(this.#clock.nowMs() + withinMs, () => settle(undefined));
      this.#watchers.add(watch);
      watch();
    });
  }
}
