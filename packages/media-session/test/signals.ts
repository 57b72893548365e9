import { CODEC } from '@earshot/bridge-protocol';
import type { CallToneKind } from '@earshot/call-tones';
import type {
  CloseMode,
  Finding,
  Listening,
  SpeechModel,
  StreamCheckpoint,
  StreamRunner,
} from '../src/index.js';
import {
  FRAME_SAMPLES,
  FrameSlot,
  SESSION_SAMPLE_RATE_HZ,
  StreamCounters,
  StreamPipeline,
  TAKEN,
} from '../src/index.js';
import { asStub, carriesPrevious, StubDecoders } from './stub-decoders.js';

/** What a test sends as one frame; what is left out is as it should be. */
export interface TestFrame {
  readonly sequence: number;
  readonly mediaTimeMs: number;
  readonly codec?: number;
  readonly flags?: number;
  readonly payload?: Uint8Array;
  readonly droppedBefore?: number;
}

/** Something like a voice: a buzz of 140 Hz in syllables of changing loudness. */
export function voice(durationMs: number): Int16Array {
  const samples = new Int16Array((durationMs * SESSION_SAMPLE_RATE_HZ) / 1000);
  for (let i = 0; i < samples.length; i += 1) {
    const t = i / SESSION_SAMPLE_RATE_HZ;
    const syllable = Math.abs(Math.sin(Math.PI * 4 * t)) * (0.6 + 0.4 * Math.sin(9 * t));
    let buzz = 0;
    for (let h = 1; h <= 12; h += 1) buzz += Math.sin(2 * Math.PI * 140 * h * t) / h;
    samples[i] = Math.round(9000 * syllable * buzz);
  }
  return samples;
}

/** A quiet room. */
export function room(durationMs: number): Int16Array {
  let state = 1;
  return Int16Array.from({ length: (durationMs * SESSION_SAMPLE_RATE_HZ) / 1000 }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 16) % 9;
  });
}

export function join(...parts: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Cuts sound into PCM16 frames with sequence numbers and times in step. */
export function toFrames(pcm: Int16Array, firstSequence = 0, startMs = 0): TestFrame[] {
  return Array.from({ length: Math.floor(pcm.length / FRAME_SAMPLES) }, (_, n) => ({
    sequence: (firstSequence + n) >>> 0,
    mediaTimeMs: startMs + n * 20,
    payload: toBytes(pcm.subarray(n * FRAME_SAMPLES, (n + 1) * FRAME_SAMPLES)),
  }));
}

export function fill(slot: FrameSlot, frame: TestFrame): FrameSlot {
  slot.sequence = frame.sequence;
  slot.mediaTimeMs = frame.mediaTimeMs;
  slot.codec = frame.codec ?? CODEC.pcm16;
  slot.flags = frame.flags ?? 0;
  slot.length = frame.payload?.length ?? 0;
  if (frame.payload !== undefined) slot.payload.set(frame.payload);
  slot.droppedBefore = frame.droppedBefore ?? 0;
  return slot;
}

export interface ListenerOptions {
  readonly firstSequence?: number;
  /** Where another listener, elsewhere, left the stream. */
  readonly checkpoint?: StreamCheckpoint | undefined;
  /** Counters of an earlier listener, which go on. */
  readonly shared?: SharedArrayBuffer;
  readonly codec?: number;
  readonly listening?: Listening;
  readonly tones?: readonly CallToneKind[];
  readonly decoders?: StubDecoders;
  readonly speechModel?: SpeechModel | undefined;
}

/** A pipeline with its counters and all it found; frames go through it one by one. */
export class Listener {
  readonly findings: Finding[] = [];
  readonly shared: SharedArrayBuffer;
  readonly counters: StreamCounters;
  readonly pipeline: StreamPipeline;
  readonly decoders: StubDecoders;
  readonly pcm: Int16Array = new Int16Array(FRAME_SAMPLES);
  readonly #slot = new FrameSlot();

  constructor(options: ListenerOptions = {}) {
    const { firstSequence = 0, codec = CODEC.pcm16, listening = 'findings' } = options;
    this.shared = options.shared ?? StreamCounters.allocate(firstSequence, options.checkpoint);
    this.counters = new StreamCounters(this.shared);
    this.decoders = options.decoders ?? new StubDecoders();
    this.pipeline = new StreamPipeline({
      codec,
      listening,
      ...(options.tones !== undefined && { tones: options.tones }),
      decoders: this.decoders,
      carriesPrevious,
      speechModel: options.speechModel,
      counters: this.shared,
      sink: (finding) => this.findings.push(finding),
    });
  }

  hear(...frames: readonly TestFrame[]): this {
    for (const frame of frames) this.#take(fill(this.#slot, frame));
    return this;
  }

  /** What the ring gives, to the end. */
  drain(runner: StreamRunner, records = Number.POSITIVE_INFINITY): void {
    for (let n = 0; n < records; n += 1) {
      const taken = runner.take(this.#slot, this.pcm);
      if (taken === TAKEN.packet) {
        const { payload, length } = this.#slot;
        runner.decoded(asStub(runner.decoder).decode(payload, 0, length, this.pcm), this.pcm);
      }
      runner.publish();
      if (taken === TAKEN.nothing) return;
    }
  }

  close(mode: CloseMode, nextSequence?: number): this {
    this.pipeline.close(mode, this.pcm, nextSequence);
    this.pipeline.publish();
    return this;
  }

  of<Kind extends Finding['kind']>(kind: Kind): Extract<Finding, { kind: Kind }>[] {
    return this.findings.filter(
      (finding): finding is Extract<Finding, { kind: Kind }> => finding.kind === kind,
    );
  }

  #take(slot: FrameSlot): void {
    if (this.pipeline.accept(slot, this.pcm)) {
      const decoder = asStub(this.pipeline.decoder);
      this.pipeline.decoded(decoder.decode(slot.payload, 0, slot.length, this.pcm), this.pcm);
    }
    this.pipeline.publish();
  }
}

function toBytes(pcm: Int16Array): Uint8Array {
  const bytes = new Uint8Array(pcm.length * 2);
  const view = new DataView(bytes.buffer);
  for (const [i, sample] of pcm.entries()) view.setInt16(i * 2, sample, true);
  return bytes;
}
