import type { StreamTotals } from './stream-counters.js';
import { COUNTER } from './stream-counters.js';

/**
 * The decode thread's copy of a stream's numbers, and the only writer of the shared ones. What is
 * counted here is nobody else's until `publish`: a thread that dies before leaves the numbers of the
 * last publication, which agree with one another, and its successor counts on from there. All are
 * 32-bit words, kept signed so that V8 needs no box for them.
 */
export class StreamTally {
  received = 0;
  decoded = 0;
  silent = 0;
  corrupt = 0;
  missing = 0;
  dropped = 0;
  concealed = 0;
  recovered = 0;
  duplicate = 0;
  unheard = 0;
  warmed = 0;
  warmedMissing = 0;
  sounding = 0;
  gaps = 0;
  findings = 0;
  expected = 0;
  settled = 0;
  settledFindings = 0;
  levelCentiDbfs = 0;
  speaking = 0;
  speechStartMs = 0;
  endMs = 0;
  readonly #words: Int32Array;

  /** @param shared memory from `StreamCounters.allocate`; what it holds goes on. */
  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared);
    this.restore();
  }

  /**
   * Shows the numbers to the other threads. Straight on, without a loop or a call of JavaScript: V8
   * ends a thread only there, so all of it is seen or none.
   */
  publish(): void {
    const words = this.#words;
    words[COUNTER.received] = this.received;
    words[COUNTER.decoded] = this.decoded;
    words[COUNTER.silent] = this.silent;
    words[COUNTER.corrupt] = this.corrupt;
    words[COUNTER.missing] = this.missing;
    words[COUNTER.dropped] = this.dropped;
    words[COUNTER.concealed] = this.concealed;
    words[COUNTER.recovered] = this.recovered;
    words[COUNTER.duplicate] = this.duplicate;
    words[COUNTER.unheard] = this.unheard;
    words[COUNTER.warmed] = this.warmed;
    words[COUNTER.warmedMissing] = this.warmedMissing;
    words[COUNTER.sounding] = this.sounding;
    words[COUNTER.gaps] = this.gaps;
    words[COUNTER.findings] = this.findings;
    words[COUNTER.levelCentiDbfs] = this.levelCentiDbfs;
    words[COUNTER.speaking] = this.speaking;
    words[COUNTER.speechStartMs] = this.speechStartMs;
    words[COUNTER.endMs] = this.endMs;
    Atomics.store(words, COUNTER.expected, this.expected);
    // Findings first: a reader that sees the new position then sees at least its findings.
    Atomics.store(words, COUNTER.settledFindings, this.settledFindings);
    Atomics.store(words, COUNTER.settled, this.settled);
  }

  /** Forgets what was counted since the last publication. */
  restore(): void {
    const words = this.#words;
    this.received = words[COUNTER.received]!;
    this.decoded = words[COUNTER.decoded]!;
    this.silent = words[COUNTER.silent]!;
    this.corrupt = words[COUNTER.corrupt]!;
    this.missing = words[COUNTER.missing]!;
    this.dropped = words[COUNTER.dropped]!;
    this.concealed = words[COUNTER.concealed]!;
    this.recovered = words[COUNTER.recovered]!;
    this.duplicate = words[COUNTER.duplicate]!;
    this.unheard = words[COUNTER.unheard]!;
    this.warmed = words[COUNTER.warmed]!;
    this.warmedMissing = words[COUNTER.warmedMissing]!;
    this.sounding = words[COUNTER.sounding]!;
    this.gaps = words[COUNTER.gaps]!;
    this.findings = words[COUNTER.findings]!;
    this.expected = words[COUNTER.expected]!;
    this.settled = words[COUNTER.settled]!;
    this.settledFindings = words[COUNTER.settledFindings]!;
    this.levelCentiDbfs = words[COUNTER.levelCentiDbfs]!;
    this.speaking = words[COUNTER.speaking]!;
    this.speechStartMs = words[COUNTER.speechStartMs]!;
    this.endMs = words[COUNTER.endMs]!;
  }

  /** What was counted so far, published or not. */
  totals(): StreamTotals {
    return {
      framesReceived: this.received >>> 0,
      framesDecoded: this.decoded >>> 0,
      framesSilent: this.silent >>> 0,
      framesConcealed: this.concealed >>> 0,
      framesRecovered: this.recovered >>> 0,
      framesMissing: this.missing >>> 0,
      framesCorrupt: this.corrupt >>> 0,
      framesDropped: this.dropped >>> 0,
      framesDuplicate: this.duplicate >>> 0,
      framesUnheard: this.unheard >>> 0,
      gaps: this.gaps >>> 0,
    };
  }
}
