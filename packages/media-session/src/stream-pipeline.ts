import type { SpeechTransition } from '@earshot/audio';
import { Concealer, GapTimeline, measureRmsDbfs, PTIME_MS, SILENCE_DBFS } from '@earshot/audio';
import { CODEC, FLAG, sequenceDistance } from '@earshot/bridge-protocol';
import type { CallToneKind } from '@earshot/call-tones';
import { CheckpointWriter } from './checkpoint-writer.js';
import type { Finding, FindingSink } from './finding.js';
import { checkPcm, isSilent, within } from './frame-checks.js';
import type { CloseMode, FrameSlot } from './frame-ring.js';
import { CLOSE_MODE } from './frame-ring.js';
import { GapFiller } from './gap-filler.js';
import { GapReporter } from './gap-reporter.js';
import { ListenerTap } from './listener-tap.js';
import { OpusSource } from './opus-source.js';
import { isOpusVoiced } from './opus-voice.js';
import type { PcmRing } from './pcm-ring.js';
import { copyPcm16 } from './pcm16.js';
import type { AudioDecoder } from './ports.js';
import { sharedCheckpoint } from './stream-counters.js';
import { StreamDetectors } from './stream-detectors.js';
import type { StreamPipelineOptions } from './stream-pipeline-options.js';
import {
  FRAME_SAMPLES,
  JUMP_TOLERANCE_MS,
  MAX_CONCEALED_FRAMES,
  MAX_PAUSE_MS,
  SESSION_SAMPLE_RATE_HZ,
} from './stream-pipeline-options.js';
import { StreamTally } from './stream-tally.js';
import { WarmUp } from './warm-up.js';

/**
 * One stream from frame to finding: order, gaps and how they are filled, level, tones, speech. A
 * synchronous step function on media time: no clock, no I/O, no object per frame.
 *
 * A frame takes two steps, so that the packets of several streams can be decoded by one call:
 * `accept`, and where that says so `decoded`. Then `settle` lets out what the speech model says, which may
 * have run for several streams too, and `publish` shows the stream's numbers to others.
 *
 * A stream that is continued from a checkpoint is heard muted up to its position: whatever is counted
 * and found there goes to a `WarmUp`, and is thrown away. Then the detectors get the state that they
 * were in there.
 */
export class StreamPipeline {
  readonly #codec: number;
  readonly #listens: boolean;
  /** The stream's numbers, and those that the present frame counts to: not these in a warm-up. */
  readonly #streamTally: StreamTally;
  #tally: StreamTally;
  readonly #checkpoint: CheckpointWriter;
  #warmUp: WarmUp | undefined;
  readonly #sink: FindingSink;
  readonly #tap: ListenerTap;
  readonly #timeline: GapTimeline;
  readonly #opus: OpusSource | undefined;
  readonly #concealer: Pick<Concealer, 'accept' | 'conceal' | 'reset'>;
  #gaps: GapReporter;
  readonly #detectors: StreamDetectors;
  readonly #filler: GapFiller;
  #expected: number;
  /** Begin of the frame that is at step 1 or 2, on the media clock. */
  #frameMs = Number.NaN;
  /** End of the last frame on the media clock; NaN before the first, which needs no box. */
  #endMs = Number.NaN;
  readonly #level: Float64Array = new Float64Array(1);
  #silent = false;

  constructor(options: StreamPipelineOptions) {
    const { codec, decoders, counters, carriesPrevious = () => false } = options;
    this.#codec = codec;
    this.#listens = options.listening !== 'none';
    this.#sink = options.sink;
    this.#tap = new ListenerTap(options.listener);
    this.#detectors = new StreamDetectors({
      tones: options.tones ?? [],
      speechModel: this.#listens ? options.speechModel : undefined,
      onTone: (finding) => this.#report(finding),
      onSpeech: (transition) => this.#speechChanged(transition),
    });
    this.#streamTally = new StreamTally(counters);
    this.#tally = this.#streamTally;
    this.#checkpoint = new CheckpointWriter(sharedCheckpoint(counters));
    this.#expected = this.#tally.expected >>> 0;
    this.#timeline = new GapTimeline();
    this.#timeline.accept((this.#expected - 1) >>> 0);
    this.#gaps = this.#newGaps();
    const maxConcealedFrames = this.#listens ? MAX_CONCEALED_FRAMES : 0;
    const frameSamples = FRAME_SAMPLES;
    if (codec === CODEC.opus) {
      this.#opus = new OpusSource({ decoders, carriesPrevious, frameSamples, maxConcealedFrames });
    }
    const sampleRateHz = SESSION_SAMPLE_RATE_HZ;
    this.#concealer = this.#opus ?? new Concealer({ sampleRateHz, maxConcealedFrames });
    this.#filler = new GapFiller({
      opus: this.#opus,
      concealer: this.#concealer,
      detectors: this.#detectors,
      tap: this.#tap,
    });
    this.#continueEarlier();
  }

  /**
   * Decodes the frames for which `accept` returned true, in order and each before the next `accept`.
   *
   * @throws CodedError when the pool is exhausted.
   */
  get decoder(): AudioDecoder {
    if (this.#opus !== undefined) return this.#opus.decoder;
    throw new TypeError('Cannot decode: the stream must carry Opus');
  }

  /**
   * Step 1: takes the next frame, and fills in what is missing before it.
   *
   * @param frame borrowed for the call
   * @param pcm scratch of `FRAME_SAMPLES`, borrowed for the call; may be where the frame is decoded
   * to afterwards
   * @returns true when the frame's packet is to be decoded by `decoder` and `decoded` to be called;
   * otherwise the frame is done.
   * @throws RangeError when `pcm` has another size; CodedError when the decoder pool is exhausted.
   */
  accept(frame: FrameSlot, pcm: Int16Array): boolean {
    checkPcm(pcm);
    this.#detectors.speech.settle();
    this.#gaps.dropped(frame.droppedBefore);
    if (this.#warmUp !== undefined) this.#meetPosition(this.#warmUp, frame.sequence, pcm);
    const missing = this.#timeline.accept(frame.sequence);
    if (missing < 0) {
      this.#tally.duplicate = (this.#tally.duplicate + 1) | 0;
      return false;
    }
    this.#tally.received = (this.#tally.received + 1) | 0;
    const needsDecoder = this.#needsDecoder(frame);
    if (missing > 0) this.#gap(missing, frame.mediaTimeMs, needsDecoder ? frame : undefined, pcm);
    this.#gaps.inOrder();
    this.#expected = (frame.sequence + 1) >>> 0;
    this.#meetTime(frame.mediaTimeMs, frame.flags);
    this.#frameMs = frame.mediaTimeMs;
    this.#detectors.voiced = !needsDecoder || isOpusVoiced(frame.payload, frame.length);
    if (needsDecoder) {
      this.#opus?.meet();
      this.#opus?.keep(frame);
      return true;
    }
    this.#takeUndecoded(frame, pcm);
    this.#endFrame();
    return false;
  }

  /**
   * Step 2: listens to the frame that was decoded.
   *
   * @param samples what the decoder returned; anything but `FRAME_SAMPLES` is a corrupt frame
   * @param pcm the frame's sound, borrowed for the call, and overwritten
   * @throws RangeError when `pcm` has another size.
   */
  decoded(samples: number, pcm: Int16Array): void {
    checkPcm(pcm);
    if (samples === FRAME_SAMPLES) this.#heard(pcm);
    else this.#corrupt(pcm);
    this.#endFrame();
  }

  /**
   * The host let go of frames: when the sequence jumps, so many of the missing are its.
   *
   * @param firstSequence of the first of them
   * @param droppedBefore records that our own ring lost before it told so
   */
  discarded(firstSequence: number, frames: number, droppedBefore: number): void {
    this.#gaps.dropped(droppedBefore);
    const passed = within(this.#expected - firstSequence, frames);
    if (this.#warmUp === undefined) {
      this.#gaps.discarded(frames - passed);
      return;
    }
    const muted = within(this.#warmUp.position - firstSequence, frames);
    this.#gaps.discarded(Math.max(0, muted - passed));
    this.#warmUp.next.discarded(frames - Math.max(muted, passed));
  }

  /**
   * Lets out what the speech model says of the last frame. Not needed for the findings to be right, but
   * before they are posted: otherwise those of the model come with the next frame.
   */
  settle(): void {
    this.#detectors.speech.settle();
  }

  /**
   * Shows what was counted to the other threads, and a checkpoint every few frames. Call it between two
   * frames, once the findings so far are on their way: should the thread die before, the frames since
   * the last time count as missing.
   */
  publish(): void {
    this.settle();
    if (this.#warmUp !== undefined) this.#warmUp.count(this.#expected);
    else if (this.#checkpoint.isDue) this.#takeCheckpoint();
    this.#streamTally.publish();
    this.#checkpoint.publish();
  }

  /** Tells these tones besides digits from the next frame on. Call it between two frames. */
  listenForTones(kinds: readonly CallToneKind[]): void {
    this.#detectors.otherTones.listenFor(kinds);
  }

  /**
   * Ends the stream; only `publish` may follow.
   *
   * @param pcm scratch of `FRAME_SAMPLES`, borrowed for the call
   * @param nextSequence the sequence that would have come next, when known: what is missing
   * before it is a gap too.
   */
  close(mode: CloseMode, pcm: Int16Array, nextSequence?: number): void {
    checkPcm(pcm);
    this.#detectors.speech.settle();
    const isForOthers = mode !== CLOSE_MODE.end && this.#warmUp === undefined;
    if (isForOthers) this.#takeCheckpoint();
    else this.#checkpoint.drop();
    if (mode === CLOSE_MODE.end) this.#flush(nextSequence, pcm);
    this.#closed(mode);
  }

  /** Gives what is heard from now on to a recognizer; undefined: to none. */
  listen(listener: PcmRing | undefined): void {
    this.#tap.listen(listener);
    if (this.#warmUp === undefined) this.#noteEarlierSpeech();
  }

  /**
   * Ends a stream whose pipeline threw. Its numbers go back to what was published; what came since and
   * will not be taken counts as dropped, and open speech ends. Only `publish` may follow.
   *
   * @param records taken since `publish`, or waiting
   */
  fail(records: number): void {
    const tally = this.#streamTally;
    this.#detectors.speech.release();
    this.#leaveWarmUp();
    tally.restore();
    this.#checkpoint.drop();
    tally.dropped = (tally.dropped + records) | 0;
    tally.expected = (tally.expected + records) | 0;
    this.#endEarlierSpeech();
    this.#closed(CLOSE_MODE.end);
  }

  #closed(mode: CloseMode): void {
    this.#leaveWarmUp();
    this.#opus?.release();
    this.#detectors.speech.release();
    this.#tally.speaking = 0;
    this.#setLevel(SILENCE_DBFS);
    this.#tap.closed(this.#endOr(0), mode, this.#expected);
    this.#sink({
      kind: 'closed',
      endMs: Number.isNaN(this.#endMs) ? null : this.#endMs,
      totals: this.#tally.totals(),
    });
  }

  /**
   * Goes on where an earlier pipeline of the stream was: at its checkpoint, when no more is known;
   * otherwise after what it published before it died.
   */
  #continueEarlier(): void {
    const tally = this.#tally;
    const { isContinued } = this.#checkpoint;
    if (tally.received === 0) {
      if (isContinued) this.#beginWarmUp();
      return;
    }
    this.#endMs = tally.endMs;
    this.#noteEarlierSpeech();
    if (isContinued) this.#checkpoint.restoreSpeech(this.#detectors.speech);
    if (this.#isSpeechAsPublished()) return;
    this.#detectors.renewSpeech();
    this.#endEarlierSpeech();
  }

  /** Whether nothing changed between the checkpoint and what was published. */
  #isSpeechAsPublished(): boolean {
    const { speaking, speechStartMs } = this.#tally;
    if (!this.#detectors.speech.speaking) return speaking === 0;
    return speaking === 1 && Math.round(this.#detectors.speech.startMs) === speechStartMs;
  }

  #newGaps(): GapReporter {
    return new GapReporter(this.#streamTally, (gap) => this.#report(gap));
  }

  #beginWarmUp(): void {
    const next = this.#newGaps();
    const warmUp = new WarmUp(this.#checkpoint.position, this.#streamTally, next);
    this.#warmUp = warmUp;
    this.#tally = warmUp.tally;
    this.#gaps = warmUp.gaps;
    this.#detectors.spareModel();
  }

  /** Ends the warm-up if the frame at `sequence` comes after it. */
  #meetPosition(warmUp: WarmUp, sequence: number, pcm: Int16Array): void {
    const past = ((sequence - this.#expected) | 0) - warmUp.left(this.#expected);
    if (past < 0) return;
    // What overflow took is taken for the last of what is missing.
    const dropped = this.#gaps.takeDropped();
    this.#gaps.dropped(Math.max(0, dropped - past));
    warmUp.next.dropped(Math.min(dropped, past));
    this.#endWarmUp(warmUp, pcm);
  }

  /** The position is reached: findings go on from the state that they were left in. */
  #endWarmUp(warmUp: WarmUp, pcm: Int16Array): void {
    const left = warmUp.left(this.#expected);
    if (left > 0) this.#gap(left, this.#endOr(0) + left * PTIME_MS, undefined, pcm);
    this.#expected = warmUp.position;
    this.#timeline.accept((warmUp.position - 1) >>> 0);
    this.#leaveWarmUp();
    this.#detectors.renewSpeech();
    const { tones, otherTones, speech } = this.#detectors;
    this.#checkpoint.restore(this.#gaps, tones, otherTones, speech);
    if (speech.speaking) this.#tap.speechStarted(speech.startMs, this.#expected);
  }

  #leaveWarmUp(): void {
    if (this.#warmUp === undefined) return;
    this.#warmUp.count(this.#expected);
    this.#tally = this.#streamTally;
    this.#gaps = this.#warmUp.next;
    this.#endMs = this.#checkpoint.endMs;
    this.#warmUp = undefined;
  }

  /** Ends open speech by the numbers alone, whatever the detectors' state. */
  #endEarlierSpeech(): void {
    if (this.#tally.speaking === 0) return;
    const { speechStartMs: startMs, endMs } = this.#tally;
    this.#speechChanged({ kind: 'ended', startMs, endMs });
  }

  #endOr(otherMs: number): number {
    return Number.isNaN(this.#endMs) ? otherMs : this.#endMs;
  }

  #flush(nextSequence: number | undefined, pcm: Int16Array): void {
    if (this.#warmUp !== undefined) this.#endWarmUp(this.#warmUp, pcm);
    const missing = nextSequence === undefined ? 0 : sequenceDistance(this.#expected, nextSequence);
    if (missing > 0) {
      this.#gap(missing, this.#endOr(0) + missing * PTIME_MS, undefined, pcm);
      this.#expected = (this.#expected + missing) >>> 0;
    }
    this.#gaps.endCorruptRun();
    this.#detectors.tonesCut();
    this.#detectors.speech.discontinuity(this.#endOr(0));
    this.#tally.expected = this.#expected | 0;
  }

  /**
   * `missing` frame slots before the frame at `mediaTimeMs` were lost.
   *
   * @param next the packet that follows, when it will be decoded
   */
  #gap(missing: number, mediaTimeMs: number, next: FrameSlot | undefined, pcm: Int16Array): void {
    this.#gaps.endCorruptRun();
    const startMs = this.#endOr(mediaTimeMs - missing * PTIME_MS);
    this.#filler.fill(missing, startMs, next, this.#expected, pcm);
    const { concealed, recovered } = this.#filler;
    const recoveredFrames = recovered ? 1 : 0;
    this.#tally.recovered = (this.#tally.recovered + recoveredFrames) | 0;
    this.#tally.concealed = (this.#tally.concealed + concealed + recoveredFrames) | 0;
    this.#endMs = startMs + missing * PTIME_MS;
    this.#gaps.missing(missing, startMs, concealed, recovered);
  }

  /** Tells the detectors when the media clock jumped, which silence suppression does. */
  #meetTime(mediaTimeMs: number, flags: number): void {
    if (Number.isNaN(this.#endMs)) return;
    const jumpMs = mediaTimeMs - this.#endMs;
    if ((flags & FLAG.discontinuity) === 0 && Math.abs(jumpMs) <= JUMP_TOLERANCE_MS) return;
    this.#gaps.endCorruptRun();
    this.#detectors.tones.discontinuity();
    this.#concealer.reset();
    if (jumpMs > 0 && jumpMs <= MAX_PAUSE_MS) {
      this.#detectors.passSpeech(this.#endMs, jumpMs);
    } else {
      this.#detectors.speech.discontinuity(mediaTimeMs);
    }
  }

  #needsDecoder(frame: FrameSlot): boolean {
    if (this.#opus === undefined || !this.#listens || frame.codec !== CODEC.opus) return false;
    return !isSilent(frame);
  }

  /** What needs no decoder: silence, what nobody listens to, PCM, and what is not of the stream. */
  #takeUndecoded(frame: FrameSlot, pcm: Int16Array): void {
    if (isSilent(frame)) this.#silence();
    else if (frame.codec !== this.#codec) this.#corrupt(pcm);
    else if (!this.#listens) this.#unheard();
    else if (copyPcm16(frame.payload, frame.length, pcm)) this.#heard(pcm);
    else this.#corrupt(pcm);
  }

  #silence(): void {
    this.#gaps.endCorruptRun();
    this.#opus?.pause(1);
    this.#tally.silent = (this.#tally.silent + 1) | 0;
    if (!this.#silent) {
      this.#silent = true;
      this.#detectors.tones.discontinuity();
      this.#concealer.reset();
    }
    this.#setLevel(SILENCE_DBFS);
    this.#tap.silence(this.#frameMs, this.#expected);
    this.#detectors.otherTones.silence(this.#frameMs);
    this.#detectors.passSpeech(this.#frameMs, PTIME_MS);
  }

  #unheard(): void {
    this.#gaps.endCorruptRun();
    this.#tally.unheard = (this.#tally.unheard + 1) | 0;
  }

  #heard(pcm: Int16Array): void {
    // Read once: V8 boxes a number for each time that it passes it on from a field.
    const mediaTimeMs = this.#frameMs;
    this.#gaps.endCorruptRun();
    this.#silent = false;
    this.#tally.decoded = (this.#tally.decoded + 1) | 0;
    // Before the concealer, which smooths the joint after a gap: tones want what was sent.
    this.#detectors.hearTones(mediaTimeMs, pcm);
    this.#tap.sound(mediaTimeMs, pcm, this.#expected);
    this.#concealer.accept(pcm);
    measureRmsDbfs(pcm, 0, FRAME_SAMPLES, this.#level);
    const levelDbfs = this.#level[0]!;
    if (levelDbfs > SILENCE_DBFS) this.#tally.sounding = (this.#tally.sounding + 1) | 0;
    this.#setLevel(levelDbfs);
    this.#detectors.hearSpeech(mediaTimeMs, levelDbfs, pcm);
  }

  #corrupt(pcm: Int16Array): void {
    this.#silent = false;
    this.#tap.lost(this.#frameMs, 1, this.#expected);
    this.#filler.conceal(1, this.#frameMs, pcm);
    const { concealed } = this.#filler;
    this.#tally.concealed = (this.#tally.concealed + concealed) | 0;
    this.#detectors.tonesMissed(1, 0);
    this.#gaps.corrupt(this.#frameMs, concealed);
  }

  #endFrame(): void {
    this.#endMs = this.#frameMs + PTIME_MS;
    this.#tally.endMs = Math.round(this.#endMs) | 0;
    this.#tally.expected = this.#expected | 0;
    this.#checkpoint.countFrame();
  }

  /** Not with each frame but when numbers are shown: what listens to a frame is to stay small. */
  #takeCheckpoint(): void {
    const { tones, otherTones, speech } = this.#detectors;
    this.#checkpoint.take(this.#tally, this.#endMs, this.#gaps, tones, otherTones, speech);
  }

  #speechChanged(transition: SpeechTransition): void {
    if (this.#warmUp === undefined) this.#tap.speech(transition, this.#expected);
    this.#tally.speechStartMs = Math.round(transition.startMs) | 0;
    this.#tally.speaking = transition.kind === 'started' ? 1 : 0;
    this.#report(
      transition.kind === 'started'
        ? { kind: 'speechStarted', startMs: transition.startMs }
        : { kind: 'speechEnded', startMs: transition.startMs, endMs: transition.endMs },
    );
  }

  /** What somebody says who began before the listener came. */
  #noteEarlierSpeech(): void {
    if (this.#tally.speaking === 1) {
      this.#tap.speechStarted(this.#tally.speechStartMs, this.#expected);
    }
  }

  #report(finding: Finding): void {
    if (this.#warmUp !== undefined) return;
    this.#tally.findings = (this.#tally.findings + 1) | 0;
    this.#sink(finding);
  }

  #setLevel(levelDbfs: number): void {
    this.#tally.levelCentiDbfs = Math.round(levelDbfs * 100) | 0;
  }
}
