import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import type { FrameInput } from './live-frame.js';
import { renderFrame } from './live-frame.js';

const REDRAW_MS = 100;
const DEFAULT_COLUMNS = 100;

/** Redraws the picture in place on a terminal, about ten times a second. */
export class LiveScreen {
  readonly #update: ReturnType<typeof createLogUpdate>;
  readonly #timer: NodeJS.Timeout;
  readonly #read: () => Omit<FrameInput, 'columns'>;

  /** @param read what to show, asked for at each redraw. */
  constructor(read: () => Omit<FrameInput, 'columns'>) {
    this.#read = read;
    this.#update = createLogUpdate(process.stdout);
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
    this.#draw();
  }

  /** Draws once more and leaves the picture standing. */
  close(): void {
    clearInterval(this.#timer);
    this.#draw();
    this.#update.done();
  }

  #draw(): void {
    const columns = process.stdout.columns ?? DEFAULT_COLUMNS;
    this.#update(renderFrame({ ...this.#read(), columns }, pc));
  }
}
