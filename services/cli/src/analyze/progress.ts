/** Between two lines where nothing can be drawn over. */
const LINE_EVERY_MS = 5000;
/** Between two drawings over the same line. */
const DRAW_EVERY_MS = 100;

/** Says on standard error how far the files are. */
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

  done(durationMs: number): void {
    this.#soundMs += durationMs;
    this.#count();
  }

  failed(message: string): void {
    this.#failed += 1;
    this.#clear();
    process.stderr.write(`${message}\n`);
    this.#count();
  }

  /** Sums up; of one file there is nothing to sum. */
  end(): void {
    this.#clear();
    if (this.#total === 1) return;
    const tookMs = this.#nowMs() - this.#startMs;
    process.stderr.write(
      `${this.#files} files, ${this.#failed} failed, ${minutes(this.#soundMs)} of sound in ${minutes(tookMs)}\n`,
    );
  }

  #count(): void {
    this.#files += 1;
    const { isTTY } = process.stderr;
    const nowMs = this.#nowMs();
    if (this.#total === 1 || nowMs - this.#saidMs < (isTTY ? DRAW_EVERY_MS : LINE_EVERY_MS)) return;
    this.#saidMs = nowMs;
    const text = `${this.#files} of ${this.#total} files, ${minutes(this.#soundMs)} of sound`;
    process.stderr.write(isTTY ? `\r\x1b[K${text}` : `${text}\n`);
    this.#isDrawn = isTTY;
  }

  #clear(): void {
    if (this.#isDrawn) process.stderr.write('\r\x1b[K');
    this.#isDrawn = false;
  }
}

function minutes(timeMs: number): string {
  const s = timeMs / 1000;
  return s < 90 ? `${s.toFixed(1)} s` : `${(s / 60).toFixed(1)} min`;
}
