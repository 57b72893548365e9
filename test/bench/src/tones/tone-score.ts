import type { CallToneKind } from '@earshot/call-tones';
import { quantile } from '../quartiles.js';
import type { ToneCell } from './tone-cells.js';
import type { Latency, PathResult } from './tones-result.js';

/** A tone that was told. */
export interface ToldTone {
  readonly kind: CallToneKind;
  /** How much of the cell had been given by then, ms. */
  readonly toldMs: number;
}

/** What came of the cells on one way to the detector. */
export class ToneScore {
  readonly faults: string[] = [];
  readonly #byKind = new Map<CallToneKind, [number, number]>();
  readonly #latenciesMs = new Map<CallToneKind, number[]>();
  #cells = 0;
  #accepted = 0;
  #extra = 0;

  add(cell: ToneCell, told: readonly ToldTone[]): void {
    const { kind, knownMs, name } = cell;
    const right = told.find((tone) => tone.kind === kind);
    const counts = this.#byKind.get(kind) ?? [0, 0];
    this.#byKind.set(kind, [counts[0] + (right === undefined ? 0 : 1), counts[1] + 1]);
    this.#cells += 1;
    this.#accepted += right === undefined ? 0 : 1;
    this.#extra += told.length - (right === undefined ? 0 : 1);
    if (right !== undefined) {
      const latencies = this.#latenciesMs.get(kind) ?? [];
      latencies.push(right.toldMs - knownMs);
      this.#latenciesMs.set(kind, latencies);
    }
    if (right !== undefined && told.length === 1) return;
    this.faults.push(`${kind}: ${name}: ${told.map((tone) => tone.kind).join(' ') || 'nothing'}`);
  }

  result(): PathResult {
    return {
      cells: this.#cells,
      accepted: this.#accepted,
      acceptedPercent: (100 * this.#accepted) / this.#cells,
      extra: this.#extra,
      byKind: Object.fromEntries(this.#byKind),
    };
  }

  latencies(): Partial<Record<CallToneKind, Latency>> {
    return Object.fromEntries(
      [...this.#latenciesMs].map(([kind, list]) => [
        kind,
        { p50: quantile(list, 0.5), p99: quantile(list, 0.99) },
      ]),
    );
  }
}
