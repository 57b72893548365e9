import type { EarshotEvent } from '@earshot/events';

/** An event as it goes to everyone who looks on. */
export interface LiveEvent {
  readonly callId: string;
  readonly id: string;
  readonly type: string;
  /** In the format of server-sent events. */
  readonly frame: string;
}

/**
 * The newest events, numbered from 0 without holes; the oldest give way. All streams of a process
 * read from the one window, each with a number of its own: no stream has a queue.
 */
export class LiveWindow {
  readonly #slots: (LiveEvent | undefined)[];
  readonly #numbers = new Map<string, number>();
  #end = 0;

  /** @param capacity a positive integer. */
  constructor(capacity: number) {
    this.#slots = new Array<LiveEvent | undefined>(capacity);
  }

  /** Of the oldest event that is there. */
  get start(): number {
    return Math.max(0, this.#end - this.#slots.length);
  }

  /** Of the next event to come. */
  get end(): number {
    return this.#end;
  }

  /** Adds an event; one that is there already is told twice and left out. */
  push(event: EarshotEvent): void {
    if (this.#numbers.has(event.id)) return;
    const slot = this.#end % this.#slots.length;
    const oldest = this.#slots[slot];
    if (oldest !== undefined) this.#numbers.delete(oldest.id);
    const { callId, id, type } = event;
    this.#slots[slot] = { callId, id, type, frame: frameOf(event) };
    this.#numbers.set(event.id, this.#end);
    this.#end += 1;
  }

  /** Events were missed: whoever looks on lies behind from now on. */
  skip(): void {
    this.#slots.fill(undefined);
    this.#numbers.clear();
    this.#end += this.#slots.length + 1;
  }

  /** Undefined when it has given way, or is still to come. */
  at(number: number): LiveEvent | undefined {
    if (number < this.start || number >= this.#end) return undefined;
    return this.#slots[number % this.#slots.length];
  }

  /** The number of an event that is there. */
  numberOf(eventId: string): number | undefined {
    return this.#numbers.get(eventId);
  }
}

/** Line ends would begin another field. */
function frameOf(event: EarshotEvent): string {
  const id = event.id.replace(/[\r\n\0]/g, ' ');
  return `id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
