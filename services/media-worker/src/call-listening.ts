import type { Cancel } from '@earshot/async';
import type { ListeningSettings } from '@earshot/listening';

/** What is listened for in a call now, and who wants to know of changes. */
export class CallListening {
  readonly #listeners = new Set<(settings: ListeningSettings) => void>();
  #current: ListeningSettings;
  #text: string;

  constructor(initial: ListeningSettings) {
    this.#current = initial;
    this.#text = JSON.stringify(initial);
  }

  get current(): ListeningSettings {
    return this.#current;
  }

  /** Calls `listener` with each change from now on, until undone by the result. */
  onChange(listener: (settings: ListeningSettings) => void): Cancel {
    const entry = (settings: ListeningSettings): void => listener(settings);
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  /** Takes the settings as they are stored; tells nobody when they are as before. */
  set(settings: ListeningSettings): void {
    const text = JSON.stringify(settings);
    if (text === this.#text) return;
    this.#current = settings;
    this.#text = text;
    for (const listener of [...this.#listeners]) listener(settings);
  }
}
