import type { SpeechTransition } from '@earshot/audio';
import { PTIME_MS } from '@earshot/audio';
import type { CallToneKind } from '@earshot/call-tones';
import type { DetectedTone } from '@earshot/dtmf';
import { DtmfDetector } from '@earshot/dtmf';
import type { OtherToneFinding, ToneFinding } from './finding.js';
import { OtherTones } from './other-tones.js';
import type { SpeechModel } from './ports.js';
import { SESSION_SAMPLE_RATE_HZ } from './stream-pipeline-options.js';
import { StreamSpeech } from './stream-speech.js';

export interface StreamDetectorsOptions {
  /** Tones that are told besides digits. */
  readonly tones: readonly CallToneKind[];
  /** Confirms what may be speech; undefined: speech is told by level alone. */
  readonly speechModel: SpeechModel | undefined;
  readonly onTone: (finding: ToneFinding | OtherToneFinding) => void;
  readonly onSpeech: (transition: SpeechTransition) => void;
}

/** Those that listen to one stream: for digits, for other tones, and for speech. */
export class StreamDetectors {
  readonly tones: DtmfDetector;
  readonly otherTones: OtherTones;
  readonly #speechModel: SpeechModel | undefined;
  readonly #onSpeech: (transition: SpeechTransition) => void;
  #speech: StreamSpeech;
  /** What the encoder says of the frame that is heard next: false when there is no voice in it. */
  voiced = true;

  constructor({ tones, speechModel, onTone, onSpeech }: StreamDetectorsOptions) {
    this.#speechModel = speechModel;
    this.#onSpeech = onSpeech;
    this.#speech = new StreamSpeech(speechModel, onSpeech);
    this.tones = new DtmfDetector({
      sampleRateHz: SESSION_SAMPLE_RATE_HZ,
      onTone: (tone) => onTone(toneFinding(tone)),
    });
    this.otherTones = new OtherTones(tones, onTone);
  }

  get speech(): StreamSpeech {
    return this.#speech;
  }

  /** Speech is heard anew, as from a stream's beginning. */
  renewSpeech(): void {
    this.#speech.release();
    this.#speech = new StreamSpeech(this.#speechModel, this.#onSpeech);
  }

  /** Speech is heard anew, and by level: it is thrown away, and not worth the model. */
  spareModel(): void {
    this.#speech = new StreamSpeech(undefined, this.#onSpeech);
  }

  /** The frame as it was sent. */
  hearTones(mediaTimeMs: number, pcm: Int16Array): void {
    this.tones.process(pcm, mediaTimeMs);
    this.otherTones.process(pcm, mediaTimeMs);
  }

  /**
   * So many frames of a tone may be bridged. What was made up is no proof of one; copies of frames are
   * real sound, which digits need, being short. Other tones are long, and copies coarse.
   */
  tonesMissed(frames: number, copies: number): void {
    this.tones.gap((frames - copies) * PTIME_MS);
    this.otherTones.gap(frames * PTIME_MS);
  }

  tonesCut(): void {
    this.tones.discontinuity();
    this.otherTones.discontinuity();
  }

  /** After the tones of the frame, if there was one. */
  hearSpeech(mediaTimeMs: number, levelDbfs: number, pcm: Int16Array): void {
    const isTone = this.tones.toneActive || this.otherTones.isHeard;
    this.#speech.hear(mediaTimeMs, levelDbfs, isTone, this.voiced, pcm);
  }

  passSpeech(mediaTimeMs: number, durationMs: number): void {
    const isTone = this.tones.toneActive || this.otherTones.isHeard;
    this.#speech.pass(mediaTimeMs, durationMs, isTone);
  }
}

function toneFinding(tone: DetectedTone): ToneFinding {
  return {
    kind: 'tone',
    digit: tone.digit,
    startMs: tone.startMs,
    durationMs: tone.durationMs,
    levelDbfs: tone.levelDbfs,
    twistDb: tone.twistDb,
    confidence: tone.confidence,
    acrossGap: tone.acrossGap,
  };
}
