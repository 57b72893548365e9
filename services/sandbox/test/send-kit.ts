import { VirtualClock } from '@earshot/async';
import type { HostSendMessage, WorkerSendMessage } from '@earshot/bridge-protocol';
import { CODEC, FrameBatchWriter, FrameCursor, KIND } from '@earshot/bridge-protocol';
import type { OpusEngine } from '@earshot/opus';
import { createOpusEngine } from '@earshot/opus';
import { HeardAudio } from '../src/host/heard-audio.js';
import { SendStreams } from '../src/host/send-streams.js';

const ENGINE: OpusEngine = await createOpusEngine();
const SAMPLES = 320;
/** For all stages: making one costs more than a test. */
const DECODERS = ENGINE.createDecoderPool({ sampleRateHz: 16_000, channels: 1, capacity: 1_000 });

/** 20 ms of PCM that no other frame has: a ramp from a number. */
export function pcmOf(number: number): Int16Array {
  return Int16Array.from({ length: SAMPLES }, (_, n) => ((number * 37 + n * 11) % 20_000) - 10_000);
}

/** PCM16 as frames carry it. */
export function payloadOf(pcm: Int16Array): Uint8Array {
  const payload = new Uint8Array(2 * pcm.length);
  const view = new DataView(payload.buffer);
  for (const [n, sample] of pcm.entries()) view.setInt16(2 * n, sample, true);
  return payload;
}

export interface SendStageOptions {
  readonly maxStreams?: number;
  readonly bufferFrames?: number;
}

/** The host's end of the way back in virtual time, and a hand that plays the worker. */
export class SendStage {
  readonly clock: VirtualClock = new VirtualClock();
  readonly heard: HeardAudio = new HeardAudio();
  readonly sends: SendStreams;
  /** What the host said, over all links, oldest first. */
  said: HostSendMessage[] = [];
  faults: string[] = [];
  isActive = true;
  nowMs = 0;

  constructor({ maxStreams = 4, bufferFrames = 100 }: SendStageOptions = {}) {
    const capability = { codecs: ['opus', 'pcm16'] as const, maxStreams, bufferFrames };
    this.sends = new SendStreams({
      capability,
      clock: this.clock,
      decoders: DECODERS,
      heard: this.heard,
      isActive: () => this.isActive,
      clockTicks: (mediaMs) => String((mediaMs ?? this.nowMs) * 10_000),
    });
    this.link();
  }

  /** Another link, on which the way back is agreed. */
  link(): void {
    this.sends.linkOpened({
      send: (message) => this.said.push(message),
      fail: (code) => this.faults.push(code),
    });
  }

  say(message: WorkerSendMessage): void {
    this.sends.message(message);
  }

  open(sendId: string, streamId = 1, codec: 'opus' | 'pcm16' = 'pcm16', firstSequence = 0): void {
    const sampleRateHz = 16_000;
    this.say({ type: 'sendOpen', streamId, sendId, codec, sampleRateHz, firstSequence });
  }

  /** Sends frames of `pcm16`, each with the sound of its number. */
  frames(streamId: number, ...sequences: number[]): void {
    this.packets(
      streamId,
      CODEC.pcm16,
      sequences.map((sequence) => [sequence, payloadOf(pcmOf(sequence))]),
    );
  }

  /** Sends one frame of `pcm16`. */
  sound(streamId: number, sequence: number, pcm: Int16Array): void {
    this.packets(streamId, CODEC.pcm16, [[sequence, payloadOf(pcm)]]);
  }

  packets(
    streamId: number,
    codec: number,
    packets: readonly (readonly [sequence: number, payload: Uint8Array | null])[],
  ): void {
    const writer = new FrameBatchWriter(undefined, KIND.send);
    const cursor = new FrameCursor(KIND.send);
    for (const [sequence, payload] of packets) {
      writer.append(streamId, codec, 0, sequence, 0, 0, payload);
      if (cursor.open(writer.finish()) !== undefined) throw new Error('A bad message');
      this.sends.frames(cursor);
      writer.reset();
    }
  }

  /** Lets the meeting go on by ticks of 20 ms. */
  tick(count = 1): void {
    for (let n = 0; n < count; n += 1) {
      this.sends.tick(this.nowMs);
      this.nowMs += 20;
      this.clock.advance(20);
    }
  }

  /** Takes what the host said since last asked, without progress. */
  answers(): HostSendMessage[] {
    const answers = this.said.filter(({ type }) => type !== 'sendProgress');
    this.said = [];
    return answers;
  }

  /** What was heard, cut into frames of 20 ms. */
  heardFrames(): Int16Array[] {
    const samples = this.heard.piece()?.samples ?? new Int16Array(0);
    return Array.from({ length: samples.length / SAMPLES }, (_, n) =>
      samples.slice(n * SAMPLES, (n + 1) * SAMPLES),
    );
  }
}

export function range(first: number, end: number): number[] {
  return Array.from({ length: end - first }, (_, n) => first + n);
}

/** The engine of the stage, to make and to compare. */
export function opusEngine(): OpusEngine {
  return ENGINE;
}
