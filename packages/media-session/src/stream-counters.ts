import { SpeechActivity } from '@earshot/audio';
import { SHARED_CHECKPOINT_BYTES, SharedCheckpoint } from './shared-checkpoint.js';
import type { StreamCheckpoint } from './stream-checkpoint.js';
import { AT, CHECKPOINT_NUMBERS, checkpointOf, numbersOf } from './stream-checkpoint.js';

/** Where each value of a `StreamCounters` lives; all are 32-bit words. */
export const COUNTER = {
  /** Frames taken in order: decoded + silent + corrupt + unheard. */
  received: 0,
  /** Frames decoded to PCM. */
  decoded: 1,
  /** Frames that hold no sound and were not decoded: flagged as silence, or DTX. */
  silent: 2,
  /** Frames that came and could not be decoded. */
  corrupt: 3,
  /** Frames that never came: lost on the way, or let go by the host. */
  missing: 4,
  /** Frames that came and were dropped by our own overflow; those of the warm-up are no gap. */
  dropped: 5,
  /** Of the missing, dropped and corrupt frames, those that were filled in. */
  concealed: 6,
  /** Frames that came again, or too late; ignored. */
  duplicate: 7,
  /** Gap findings. */
  gaps: 8,
  /** All findings. */
  findings: 9,
  /** Sequence number expected next. */
  expected: 10,
  /** Position of the newest checkpoint; before there is one, the first sequence. */
  settled: 11,
  /** Findings reported before `settled`. */
  settledFindings: 12,
  /** Level of the last frame, in hundredths of a dBFS (signed). */
  levelCentiDbfs: 13,
  /** 1 while speech sounds. */
  speaking: 14,
  /** Start of the speech that sounds, whole ms on the media clock (signed). */
  speechStartMs: 15,
  /** End of the last frame, whole ms on the media clock (signed); good once `received` > 0. */
  endMs: 16,
  /** Of the concealed frames, those whose real sound the next packet carried (in-band FEC). */
  recovered: 17,
  /** Frames of a stream that nobody listens to: taken in order and not decoded. */
  unheard: 18,
  /** Frames heard again, muted, before the position that the stream was continued at. */
  warmed: 19,
  /** Frame slots before that position that never came; they are no gap. */
  warmedMissing: 20,
  /** Of the decoded frames, those with any sound in them: one sample is not 0. */
  sounding: 21,
} as const;

/** A key of `COUNTER`. */
export type CounterName = keyof typeof COUNTER;

const SIGNED: ReadonlySet<CounterName> = new Set(['levelCentiDbfs', 'speechStartMs', 'endMs']);
const WORDS = 22;

/** The checkpoint lies behind the words. */
const CHECKPOINT_OFFSET = WORDS * 4;

/** The checkpoint in memory of `StreamCounters.allocate`. */
export function sharedCheckpoint(shared: SharedArrayBuffer): SharedCheckpoint {
  return new SharedCheckpoint(shared, CHECKPOINT_OFFSET);
}

/** What one stream counted over its life. */
export interface StreamTotals {
  readonly framesReceived: number;
  readonly framesDecoded: number;
  readonly framesSilent: number;
  readonly framesConcealed: number;
  readonly framesRecovered: number;
  readonly framesMissing: number;
  readonly framesCorrupt: number;
  readonly framesDropped: number;
  readonly framesDuplicate: number;
  readonly framesUnheard: number;
  readonly gaps: number;
}

/**
 * The numbers of one stream, in shared memory: its decode thread writes them by a `StreamTally`, any
 * thread reads, without a message. Unsigned numbers wrap at 2^32.
 *
 * Always true: `received = decoded + silent + corrupt + unheard`, and
 * `expected - first sequence = received + missing + dropped + warmed + warmedMissing`.
 */
export class StreamCounters {
  readonly #words: Int32Array;
  readonly #checkpoint: SharedCheckpoint;
  readonly #numbers: Float64Array = new Float64Array(CHECKPOINT_NUMBERS);

  /** @param shared memory from `StreamCounters.allocate`. */
  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared, 0, WORDS);
    this.#checkpoint = sharedCheckpoint(shared);
  }

  /**
   * @param firstSequence the sequence number that the stream starts with.
   * @param checkpoint where an earlier pipeline left the stream: what comes before it is a warm-up.
   */
  static allocate(firstSequence: number, checkpoint?: StreamCheckpoint): SharedArrayBuffer {
    const shared = new SharedArrayBuffer(CHECKPOINT_OFFSET + SHARED_CHECKPOINT_BYTES);
    const words = new Int32Array(shared);
    words[COUNTER.expected] = firstSequence;
    words[COUNTER.settled] = firstSequence;
    words[COUNTER.levelCentiDbfs] = -12_700;
    if (checkpoint !== undefined) keep(checkpoint, words, sharedCheckpoint(shared));
    return shared;
  }

  get(name: CounterName): number {
    const value = Atomics.load(this.#words, COUNTER[name]);
    return SIGNED.has(name) ? value : value >>> 0;
  }

  /** Frame slots that never came, since the first sequence; what the link calls `lost`. */
  get lost(): number {
    return (this.get('missing') + this.get('warmedMissing')) >>> 0;
  }

  /**
   * The newest checkpoint. The stream may be continued there once the findings before it, so many of
   * its `findings`, are where they belong. Undefined when there is none yet.
   */
  checkpoint(): { readonly checkpoint: StreamCheckpoint; readonly findings: number } | undefined {
    if (!this.#checkpoint.read(this.#numbers)) return undefined;
    const findings = this.#numbers[AT.findings]!;
    return { checkpoint: checkpointOf(this.#numbers), findings };
  }

  totals(): StreamTotals {
    return {
      framesReceived: this.get('received'),
      framesDecoded: this.get('decoded'),
      framesSilent: this.get('silent'),
      framesConcealed: this.get('concealed'),
      framesRecovered: this.get('recovered'),
      framesMissing: this.get('missing'),
      framesCorrupt: this.get('corrupt'),
      framesDropped: this.get('dropped'),
      framesDuplicate: this.get('duplicate'),
      framesUnheard: this.get('unheard'),
      gaps: this.get('gaps'),
    };
  }
}

/** What a stream that is continued starts with. */
function keep(checkpoint: StreamCheckpoint, words: Int32Array, shared: SharedCheckpoint): void {
  const { position, endMs } = checkpoint;
  const numbers = numbersOf(checkpoint);
  shared.write(numbers);
  words[COUNTER.settled] = position;
  // Frames that begin past the position: what lies between is a gap, as any is.
  if (((position - words[COUNTER.expected]!) | 0) < 0) words[COUNTER.expected] = position;
  words[COUNTER.endMs] = Math.round(endMs ?? 0);
  const speech = new SpeechActivity();
  speech.restore(numbers, AT.speech, numbers[AT.endMs]!);
  words[COUNTER.speaking] = speech.speaking ? 1 : 0;
  words[COUNTER.speechStartMs] = Math.round(speech.startMs);
}
