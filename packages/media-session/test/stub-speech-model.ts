import type { SpeechModel, SpeechModelStream } from '../src/index.js';

const WINDOW_SAMPLES = 512;

/** Finds loud windows likely, the more so after another; keeps its state as a model does. */
export class StubSpeechModel implements SpeechModel {
  readonly stateWords = 3 + WINDOW_SAMPLES;
  inUse = 0;
  runs = 0;
  readonly #due = new Set<StubStream>();

  acquire(): SpeechModelStream {
    this.inUse += 1;
    return new StubStream(this, this.#due);
  }

  run(): void {
    this.runs += 1;
    for (const stream of this.#due) stream.takeWindow();
    this.#due.clear();
  }
}

class StubStream implements SpeechModelStream {
  probability = 0;
  #windows = 0;
  #waiting: number[] = [];
  readonly #model: StubSpeechModel;
  readonly #due: Set<StubStream>;

  constructor(model: StubSpeechModel, due: Set<StubStream>) {
    this.#model = model;
    this.#due = due;
  }

  get isDue(): boolean {
    return this.#due.has(this);
  }

  push(pcm: Int16Array): void {
    if (this.isDue) this.#model.run();
    this.#waiting.push(...pcm);
    if (this.#waiting.length >= WINDOW_SAMPLES) this.#due.add(this);
  }

  takeWindow(): void {
    const window = this.#waiting.splice(0, WINDOW_SAMPLES);
    const power = window.reduce((sum, sample) => sum + sample * sample, 0) / WINDOW_SAMPLES;
    this.#windows += 1;
    const likely = Math.min(1, Math.sqrt(power) / 1500);
    this.probability = Math.fround((this.probability + likely * (1 + (this.#windows % 3) / 8)) / 2);
  }

  reset(): void {
    this.#due.delete(this);
    this.probability = 0;
    this.#windows = 0;
    this.#waiting = [];
  }

  save(out: Int32Array, at: number): void {
    if (this.isDue) this.#model.run();
    out[at] = this.probability * 2 ** 24;
    out[at + 1] = this.#windows;
    out[at + 2] = this.#waiting.length;
    out.set(this.#waiting, at + 3);
  }

  restore(from: Int32Array, at: number): void {
    this.reset();
    this.probability = from[at]! / 2 ** 24;
    this.#windows = from[at + 1]!;
    const length = Math.max(0, Math.min(WINDOW_SAMPLES - 1, from[at + 2]!));
    this.#waiting = Array.from(from.subarray(at + 3, at + 3 + length));
  }

  release(): void {
    this.reset();
    this.#model.inUse -= 1;
  }
}
