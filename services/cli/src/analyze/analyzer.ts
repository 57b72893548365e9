import type { OtherToneKind } from '@earshot/listening';
import type { Finding } from '@earshot/media-session';
import {
  CLOSE_MODE,
  FRAME_SAMPLES,
  FrameSlot,
  SESSION_SAMPLE_RATE_HZ,
  StreamCounters,
  StreamPipeline,
} from '@earshot/media-session';
import type { DecoderPool, OpusEngine } from '@earshot/opus';
import type { SpeechModel } from '@earshot/speech-model';
import { createSpeechModel } from '@earshot/speech-model';
import type { FileAnalysis, FoundSpan, FoundTone } from './file-analysis.js';
import type { AudioFile, FrameSource } from './frame-source.js';
import { openAudioFile } from './open-audio-file.js';
import type { OpusDecoders } from './opus-frames.js';
import type { PhraseListener } from './phrase-listener.js';

const FRAME_MS = 20;

/** Of one file at a time: the pipeline's, or the one that decodes what can't go through it as it is. */
const DECODERS = 1;

/** How much sound is heard between two reports of how far it is. */
const REPORT_EVERY_FRAMES = 3000;

export interface AnalyzerOptions {
  /** Told besides digits. @defaultValue none */
  readonly tones?: readonly OtherToneKind[];
  /** Stays the caller's. @defaultValue no phrases are looked for */
  readonly phrases?: PhraseListener | undefined;
  /** Told now and then how much was heard of the file at hand. */
  readonly onHeard?: (soundMs: number) => void;
}

/** Whether the channels of a file are heard together, averaged, or one after the other. */
export type Channels = 'mix' | 'each';

type Found = Pick<FileAnalysis, 'tones' | 'speech' | 'phrases'>;

/** Listens to sound files as a media worker listens to streams, one file after the other. */
export class Analyzer {
  readonly #engine: OpusEngine;
  readonly #decoders: DecoderPool;
  #stereo: DecoderPool | undefined;
  readonly #tones: readonly OtherToneKind[];
  readonly #phrases: PhraseListener | undefined;
  readonly #onHeard: (soundMs: number) => void;
  readonly #speechModel: SpeechModel = createSpeechModel({ capacity: 1 });
  readonly #slot: FrameSlot = new FrameSlot();
  readonly #pcm: Int16Array = new Int16Array(FRAME_SAMPLES);

  constructor(engine: OpusEngine, options: AnalyzerOptions = {}) {
    this.#tones = options.tones ?? [];
    this.#phrases = options.phrases;
    this.#onHeard = options.onHeard ?? (() => {});
    this.#engine = engine;
    this.#decoders = this.#pool(1);
  }

  /**
   * What is heard of a file: one analysis, or one of each channel.
   *
   * @throws CodedError (rejects) see `openAudioFile`.
   */
  async analyze(path: string, channels: Channels = 'mix'): Promise<readonly FileAnalysis[]> {
    const file = await openAudioFile(path, this.#opusDecoders);
    const analyses: FileAnalysis[] = [];
    try {
      const last = channels === 'each' ? file.channels : 1;
      for (let channel = 1; channel <= last; channel += 1) {
        analyses.push(await this.#listen(path, file, channels === 'each' ? channel : null));
      }
    } finally {
      file.close();
    }
    return analyses;
  }

  get #opusDecoders(): OpusDecoders {
    const stereo = (): DecoderPool => {
      this.#stereo ??= this.#pool(2);
      return this.#stereo;
    };
    return { mono: () => this.#decoders, stereo };
  }

  #pool(channels: 1 | 2): DecoderPool {
    return this.#engine.createDecoderPool({
      sampleRateHz: SESSION_SAMPLE_RATE_HZ,
      channels,
      capacity: DECODERS,
    });
  }

  async #listen(path: string, file: AudioFile, channel: number | null): Promise<FileAnalysis> {
    const source = file.frames(channel);
    try {
      const found = await this.#hear(source);
      const { channels, isWhole } = file;
      const durationMs = roundTenth(file.durationMs);
      return { file: path, channels, channel, durationMs, isWhole, ...found };
    } finally {
      source.close();
    }
  }

  async #hear(source: FrameSource): Promise<Found> {
    const tones: FoundTone[] = [];
    const speech: FoundSpan[] = [];
    const pipeline = new StreamPipeline({
      codec: source.codec,
      tones: this.#tones,
      decoders: this.#decoders,
      counters: StreamCounters.allocate(0),
      listener: this.#phrases?.begin(),
      speechModel: this.#speechModel,
      sink: (finding) => keep(finding, tones, speech),
    });
    let sequence = 0;
    try {
      while (source.next(this.#slot)) {
        this.#take(pipeline, source, sequence++);
        if (sequence % REPORT_EVERY_FRAMES === 0) this.#onHeard(sequence * FRAME_MS);
        if (this.#phrases?.take()) await this.#phrases.recognize();
      }
      pipeline.close(CLOSE_MODE.end, this.#pcm);
    } catch (error) {
      // What threw may have left the pipeline's decoder in use.
      pipeline.fail(0);
      throw error;
    }
    if (this.#phrases?.take()) await this.#phrases.recognize();
    const phrases = this.#phrases?.found ?? [];
    return {
      ...{ tones, speech },
      phrases: phrases.map((found) => ({ ...found, ...spanOf(found.startMs, found.endMs) })),
    };
  }

  #take(pipeline: StreamPipeline, source: FrameSource, sequence: number): void {
    const slot = this.#slot;
    slot.sequence = sequence;
    slot.mediaTimeMs = source.startMs + sequence * FRAME_MS;
    slot.codec = source.codec;
    if (!pipeline.accept(slot, this.#pcm)) return;
    const samples = pipeline.decoder.decode(slot.payload, 0, slot.length, this.#pcm);
    pipeline.decoded(samples, this.#pcm);
  }
}

function keep(finding: Finding, tones: FoundTone[], speech: FoundSpan[]): void {
  switch (finding.kind) {
    case 'tone': {
      const { digit, startMs, durationMs, levelDbfs } = finding;
      const span = spanOf(startMs, startMs + durationMs);
      tones.push({ digit, ...span, kind: 'dtmf', levelDbfs: roundTenth(levelDbfs) });
      return;
    }
    case 'otherTone': {
      const { tone: kind, startMs, durationMs, levelDbfs } = finding;
      const span = spanOf(startMs, startMs + durationMs);
      tones.push({ digit: null, ...span, kind, levelDbfs: roundTenth(levelDbfs) });
      return;
    }
    case 'speechEnded':
      speech.push(spanOf(finding.startMs, finding.endMs));
      return;
    default:
  }
}

function spanOf(startMs: number, endMs: number): FoundSpan {
  return { startMs: roundTenth(Math.max(0, startMs)), endMs: roundTenth(Math.max(0, endMs)) };
}

function roundTenth(value: number): number {
  return Math.round(value * 10) / 10;
}
