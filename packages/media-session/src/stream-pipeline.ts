import type { SpeechTransition } from '@earshot/audio';
import {
  Concealer,
  GapTimeline,
  PTIME_MS,
  rmsDbfs,
  SILENCE_DBFS,
  SpeechActivity,
  samplesPerFrame,
} from '@earshot/audio';
import { CODEC, FLAG, sequenceDistance } from '@earshot/bridge-protocol';
import type { DetectedTone } from '@earshot/dtmf';
import { DtmfDetector } from '@earshot/dtmf';
import type { Finding, FindingSink } from './finding.js';
import type { CloseMode, FrameSlot } from './frame-ring.js';
import { CLOSE_MODE } from './frame-ring.js';
import { GapReporter } from './gap-reporter.js';
import { copyPcm16 } from './pcm16.js';
import type { AudioDecoder, DecoderPool } from './ports.js';
import type { StreamCounters } from './stream-counters.js';

/** Rate of the PCM that the pipeline works on, whatever the source's rate. */
export const SESSION_SAMPLE_RATE_HZ = 16_000;

/** Samples of one frame at the session's rate: the size of the PCM slot a pipeline needs. */
export const FRAME_SAMPLES: number = samplesPerFrame(SESSION_SAMPLE_RATE_HZ);

/** Frames of concealment in a row before silence is more honest. */
const MAX_CONCEALED_FRAMES = 5;

/** Capture times may jitter by less than this without meaning that the source was silent. */
const JUMP_TOLERANCE_MS = PTIME_MS / 2;

/** A source that was silent for no longer than this made a pause within its speech. */
const MAX_PAUSE_MS = 300;

/** Frames without any activity until a position counts as settled: longer than any onset. */
const SETTLING_FRAMES = 5;

export interface StreamPipelineOptions {
  /** Sequence number of the first frame; a first frame beyond it is a gap. */
  readonly firstSequence: number;
  /** What the frames carry, besides silence; one of `CODEC`. A frame of another is corrupt. */
  readonly codec: number;
  readonly decoders: DecoderPool;
  /** Written by the pipeline; may hold the counts of an earlier pipeline, which go on. */
  readonly counters: StreamCounters;
  readonly sink: FindingSink;
  /** A slot of `FRAME_SAMPLES`, borrowed during each call; pipelines of a thread share one. */
  readonly pcm: Int16Array;
}

/**
 * One stream from frame to finding: order, gaps and their concealment, decoding, level, tones,
 * speech. A synchronous step function on media time: no clock, no I/O, no object per frame.
 */
export class StreamPipeline {
  readonly #codec: number;
  readonly #counters: StreamCounters;
  readonly #sink: FindingSink;
  readonly #pcm: Int16Array;
  readonly #decoders: DecoderPool;
  readonly #timeline: GapTimeline;
  readonly #concealer: Concealer = new Concealer({
    sampleRateHz: SESSION_SAMPLE_RATE_HZ,
    maxConcealedFrames: MAX_CONCEALED_FRAMES,
  });
  readonly #gaps: GapReporter;
  readonly #tones: DtmfDetector;
  readonly #speech: SpeechActivity = new SpeechActivity();
  #decoder: AudioDecoder | undefined;
  #expected: number;
  /** End of the last frame on the media clock; NaN before the first, which needs no box. */
  #endMs = Number.NaN;
  #quietFrames = 0;
  #silent = false;

  constructor(options: StreamPipelineOptions) {
    if (options.pcm.length !== FRAME_SAMPLES) {
      throw new RangeError(
        `Cannot create a pipeline: its PCM slot must have ${FRAME_SAMPLES} samples, got ${options.pcm.length}`,
      );
    }
    this.#codec = options.codec;
    this.#counters = options.counters;
    this.#sink = options.sink;
    this.#pcm = options.pcm;
    this.#decoders = options.decoders;
    this.#expected = options.firstSequence;
    this.#timeline = new GapTimeline();
    this.#timeline.accept((options.firstSequence - 1) >>> 0);
    this.#gaps = new GapReporter(options.counters, (gap) => this.#report(gap));
    this.#tones = new DtmfDetector({
      sampleRateHz: SESSION_SAMPLE_RATE_HZ,
      onTone: (tone) => this.#toneHeard(tone),
    });
    this.#continueEarlier();
  }

  /** Takes the next frame; `frame` is borrowed for the call. */
  accept(frame: FrameSlot): void {
    this.#gaps.dropped(frame.droppedBefore);
    const missing = this.#timeline.accept(frame.sequence);
    if (missing < 0) {
      this.#counters.add('duplicate', 1);
      return;
    }
    this.#counters.add('received', 1);
    if (missing > 0) this.#gap(missing, frame.mediaTimeMs);
    this.#gaps.inOrder();
    this.#expected = (frame.sequence + 1) >>> 0;
    this.#meetTime(frame.mediaTimeMs, frame.flags);

    if (isSilence(frame)) this.#silence(frame.mediaTimeMs);
    else if (this.#decode(frame)) this.#heard(frame.mediaTimeMs);
    else this.#corrupt(frame.mediaTimeMs);

    this.#endMs = frame.mediaTimeMs + PTIME_MS;
    this.#counters.set('endMs', Math.round(this.#endMs));
    this.#settle();
  }

  /**
   * The host let go of frames: when the sequence jumps, so many of the missing are its.
   *
   * @param droppedBefore records that our own ring lost before it told so
   */
  discarded(frames: number, droppedBefore: number): void {
    this.#gaps.dropped(droppedBefore);
    this.#gaps.discarded(frames);
  }

  /**
   * Ends the stream; the pipeline must not be used afterwards.
   *
   * @param nextSequence the sequence that would have come next, when known: what is missing
   * before it is a gap too.
   */
  close(mode: CloseMode, nextSequence?: number): void {
    if (mode === CLOSE_MODE.end) this.#flush(nextSequence);
    this.#decoder?.release();
    this.#decoder = undefined;
    this.#counters.set('speaking', 0);
    this.#setLevel(SILENCE_DBFS);
    this.#sink({
      kind: 'closed',
      endMs: Number.isNaN(this.#endMs) ? null : this.#endMs,
      totals: this.#counters.totals(),
    });
  }

  /** What an earlier pipeline of the stream left open when it died is over. */
  #continueEarlier(): void {
    if (this.#counters.get('received') === 0) return;
    const endMs = this.#counters.get('endMs');
    this.#endMs = endMs;
    if (this.#counters.get('speaking') === 0) return;
    const startMs = this.#counters.get('speechStartMs');
    this.#speechChanged({ kind: 'ended', startMs, endMs });
  }

  #endOr(otherMs: number): number {
    return Number.isNaN(this.#endMs) ? otherMs : this.#endMs;
  }

  #flush(nextSequence: number | undefined): void {
    const missing = nextSequence === undefined ? 0 : sequenceDistance(this.#expected, nextSequence);
    if (missing > 0) {
      this.#gap(missing, this.#endOr(0) + missing * PTIME_MS);
      this.#expected = (this.#expected + missing) >>> 0;
    }
    this.#gaps.endCorruptRun();
    this.#tones.discontinuity();
    this.#speechChanged(this.#speech.discontinuity(this.#endOr(0)));
    this.#counters.set('expected', this.#expected);
  }

  /** `missing` frame slots before the frame at `mediaTimeMs` will not be heard. */
  #gap(missing: number, mediaTimeMs: number): void {
    this.#gaps.endCorruptRun();
    const startMs = this.#endOr(mediaTimeMs - missing * PTIME_MS);
    const concealed = this.#conceal(missing, startMs);
    this.#endMs = startMs + missing * PTIME_MS;
    this.#gaps.missing(missing, startMs, concealed);
  }

  /** Fills in what is missing as far as that is honest; returns how many frames. */
  #conceal(missing: number, startMs: number): number {
    let concealed = 0;
    while (concealed < missing && this.#concealer.conceal(this.#pcm)) {
      const levelDbfs = rmsDbfs(this.#pcm, 0, FRAME_SAMPLES);
      this.#stepSpeech(startMs + concealed * PTIME_MS, PTIME_MS, levelDbfs);
      concealed += 1;
    }
    const silentMs = (missing - concealed) * PTIME_MS;
    if (silentMs > 0) this.#stepSpeech(startMs + concealed * PTIME_MS, silentMs, SILENCE_DBFS);
    this.#counters.add('concealed', concealed);
    if (missing <= MAX_CONCEALED_FRAMES) this.#tones.gap(missing * PTIME_MS);
    else this.#tones.discontinuity();
    return concealed;
  }

  /** Tells the detectors when the media clock jumped, which silence suppression does. */
  #meetTime(mediaTimeMs: number, flags: number): void {
    if (Number.isNaN(this.#endMs)) return;
    const jumpMs = mediaTimeMs - this.#endMs;
    if ((flags & FLAG.discontinuity) === 0 && Math.abs(jumpMs) <= JUMP_TOLERANCE_MS) return;
    this.#gaps.endCorruptRun();
    this.#tones.discontinuity();
    this.#concealer.reset();
    if (jumpMs > 0 && jumpMs <= MAX_PAUSE_MS) {
      this.#stepSpeech(this.#endMs, jumpMs, SILENCE_DBFS);
    } else {
      this.#speechChanged(this.#speech.discontinuity(mediaTimeMs));
    }
  }

  #silence(mediaTimeMs: number): void {
    this.#gaps.endCorruptRun();
    this.#counters.add('silent', 1);
    if (!this.#silent) {
      this.#silent = true;
      this.#tones.discontinuity();
      this.#concealer.reset();
    }
    this.#setLevel(SILENCE_DBFS);
    this.#stepSpeech(mediaTimeMs, PTIME_MS, SILENCE_DBFS);
  }

  #heard(mediaTimeMs: number): void {
    this.#gaps.endCorruptRun();
    this.#silent = false;
    this.#counters.add('decoded', 1);
    // Before the concealer, which smooths the joint after a gap: tones want what was sent.
    this.#tones.process(this.#pcm, mediaTimeMs);
    this.#concealer.accept(this.#pcm);
    const levelDbfs = rmsDbfs(this.#pcm, 0, FRAME_SAMPLES);
    this.#setLevel(levelDbfs);
    this.#stepSpeech(mediaTimeMs, PTIME_MS, levelDbfs);
  }

  #corrupt(mediaTimeMs: number): void {
    this.#silent = false;
    this.#gaps.corrupt(mediaTimeMs, this.#conceal(1, mediaTimeMs));
  }

  /** True when `#pcm` holds the frame's sound. */
  #decode(frame: FrameSlot): boolean {
    if (frame.codec !== this.#codec) return false;
    if (frame.codec === CODEC.opus) {
      this.#decoder ??= this.#decoders.acquire();
      const samples = this.#decoder.decode(frame.payload, 0, frame.length, this.#pcm);
      return samples === FRAME_SAMPLES;
    }
    if (frame.length !== FRAME_SAMPLES * 2) return false;
    copyPcm16(frame.payload, this.#pcm);
    return true;
  }

  #stepSpeech(mediaTimeMs: number, durationMs: number, levelDbfs: number): void {
    this.#speechChanged(
      this.#speech.step(mediaTimeMs, durationMs, levelDbfs, this.#tones.toneActive),
    );
  }

  #speechChanged(transition: SpeechTransition | undefined): void {
    if (transition === undefined) return;
    this.#counters.set('speechStartMs', Math.round(transition.startMs));
    this.#counters.set('speaking', transition.kind === 'started' ? 1 : 0);
    this.#report(
      transition.kind === 'started'
        ? { kind: 'speechStarted', startMs: transition.startMs }
        : { kind: 'speechEnded', startMs: transition.startMs, endMs: transition.endMs },
    );
  }

  #toneHeard(tone: DetectedTone): void {
    this.#report({
      kind: 'tone',
      digit: tone.digit,
      startMs: tone.startMs,
      durationMs: tone.durationMs,
      levelDbfs: tone.levelDbfs,
      acrossGap: tone.acrossGap,
    });
  }

  #report(finding: Finding): void {
    this.#counters.add('findings', 1);
    this.#sink(finding);
  }

  #setLevel(levelDbfs: number): void {
    this.#counters.set('levelCentiDbfs', Math.round(levelDbfs * 100));
  }

  /** Positions are settled once nothing has been open for a while: replay may start there. */
  #settle(): void {
    this.#counters.set('expected', this.#expected);
    const active = this.#speech.speaking || this.#tones.toneActive || this.#gaps.inCorruptRun;
    this.#quietFrames = active ? 0 : this.#quietFrames + 1;
    if (this.#quietFrames < SETTLING_FRAMES) return;
    // Findings first: a reader that sees the new position then sees at least its findings.
    this.#counters.set('settledFindings', this.#counters.get('findings'));
    this.#counters.set('settled', this.#expected - SETTLING_FRAMES);
  }
}

function isSilence(frame: FrameSlot): boolean {
  return frame.codec === CODEC.silence || (frame.flags & FLAG.silence) !== 0;
}
