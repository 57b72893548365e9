import { PerformanceObserver } from 'node:perf_hooks';
import v8 from 'node:v8';
import vm from 'node:vm';
import type { MemoryGrowth } from './messages.js';

v8.setFlagsFromString('--expose-gc');
const gc: () => void = vm.runInNewContext('gc');

/** How much V8's heap and the buffers beside it grow. */
export class HeapGauge {
  #heapBytes = 0;
  #externalBytes = 0;
  #beginMs = 0;
  #endMs = 0;
  #withGc = false;
  #grown = { heapBytes: 0, externalBytes: 0 };
  readonly #collectionsMs: number[] = [];

  constructor() {
    const observer = new PerformanceObserver((list) => {
      for (const { startTime } of list.getEntries()) this.#collectionsMs.push(startTime);
    });
    observer.observe({ entryTypes: ['gc'] });
  }

  begin(withGc: boolean): void {
    this.#withGc = withGc;
    this.#collectionsMs.length = 0;
    if (withGc) collectGarbage();
    const { used_heap_size: heap, external_memory: external } = v8.getHeapStatistics();
    this.#heapBytes = heap;
    this.#externalBytes = external;
    this.#beginMs = performance.now();
  }

  /** The growth ends here. */
  mark(): void {
    const { used_heap_size: heap, external_memory: external } = v8.getHeapStatistics();
    this.#endMs = performance.now();
    const externalBytes = external - this.#externalBytes;
    this.#grown = { heapBytes: heap - this.#heapBytes, externalBytes };
  }

  /** To be read some turns after the mark: only then are collections known. */
  read(): MemoryGrowth {
    const collections = this.#collectionsMs.filter(
      (ms) => ms >= this.#beginMs && ms < this.#endMs,
    ).length;
    return { ...this.#grown, retainedBytes: this.#withGc ? this.#retained() : 0, collections };
  }

  #retained(): number {
    collectGarbage();
    const { used_heap_size: heap, external_memory: external } = v8.getHeapStatistics();
    return heap + external - this.#heapBytes - this.#externalBytes;
  }
}

/** Twice: buffers that the first finds unused are given back by a thread of their own. */
function collectGarbage(): void {
  gc();
  gc();
}
