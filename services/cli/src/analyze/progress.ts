/** Between two lines where nothing can be drawn over. */
const LINE_EVERY_MS = 5000;
/** Between two drawings over the same line. */
const DRAW_EVERY_MS = 100;

/** Says on standard error how far the files are, and how far in one. */
export class Progress {
  readonly #total: number;
  readonly #nowMs: () => number;
  readonly #startMs: number;
  #saidMs: number;
  #files = 0;
  #failed = 0;
  #soundMs = 0;
  #isDrawn = false;

  constructor(total: number, nowMs: () => number) {
    this.#total = total;
    this.#nowMs = nowMs;
    this.#startMs = nowMs();
    this.#saidMs = this.#startMs;
  }

  /** So much was heard of the file, or channel, at hand. */
  heard(soundMs: number): void {
    this.#say(soundMs);
  }

  /** So much was heard in all of what is over. */
  done(durationMs: number): void {
    this.#soundMs += durationMs;
    this.#say(0);
  }

  /** A file is over. */
  next(): void {
    this.#files += 1;
    this.#say(0);
  }

  failed(message: string): void {
    this.#failed += 1;
    this.clear();
    process.stderr.write(`${message}\n`);
  }

  /** Sums up; of one file there is nothing to sum. */
  end(): void {
    this.clear();
    if (this.#total === 1) return;
    const tookMs = this.#nowMs() - this.#startMs;
    process.stderr.write(
      `${this.#files} files, ${this.#failed} failed, ${minutes(this.#soundMs)} of sound in ${minutes(tookMs)}\n`,
    );
  }

  /** Makes room for a line on the same terminal. */
  clear(): void {
    if (this.#isDrawn) process.stderr.write('\r\x1b[K');
    this.#isDrawn = false;
  }

  #say(heardMs: number): void {
    const { isTTY } = process.stderr;
    const nowMs = this.#nowMs();
    if (nowMs - this.#saidMs < (isTTY ? DRAW_EVERY_MS : LINE_EVERY_MS)) return;
    this.#saidMs = nowMs;
    const sound = `${minutes(this.#soundMs + heardMs)} of sound`;
    const text = this.#total === 1 ? sound : `${this.#files} of ${this.#total} files, ${sound}`;
    process.stderr.write(isTTY ? `\r\x1b[K${text}` : `${text}\n`);
    this.#isDrawn = isTTY;
  }
}

function minutes(timeMs: number): string {
  const s = timeMs / 1000;
  return s < 90 ? `${s.toFixed(1)} s` : `${(s / 60).toFixed(1)} min`;
}
