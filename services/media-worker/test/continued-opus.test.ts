import { fileURLToPath } from 'node:url';
import { CODEC } from '@earshot/bridge-protocol';
import { generateTone } from '@earshot/dtmf';
import type { Finding, StreamCheckpoint } from '@earshot/media-session';
import {
  CLOSE_MODE,
  FRAME_SAMPLES,
  FrameSlot,
  findingEvent,
  parseStreamCheckpoint,
  StreamCounters,
  StreamPipeline,
  WARM_UP_FRAMES,
} from '@earshot/media-session';
import type { OpusEncoderOptions } from '@earshot/opus';
import { createOpusEngine, encodeFrames, opusPacketHasFec, readOggOpus } from '@earshot/opus';
import { createSpeechModel } from '@earshot/speech-model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

// A decoder that begins some packets before the checkpoint may not be quite the one that was there from the
// beginning. What is found from there on must have the same names all the same.

const MEETING = fileURLToPath(new URL('../../sandbox/meeting/', import.meta.url));
const SPEAKERS = ['ada', 'alan', 'grace', 'caller'];
const DIGITS = ['0', '5', '9', '#', 'A', '*', '1', '7'] as const;
const FIRST = 0xffff_ff00;
const IDENTITY = {
  callId: 'c',
  epoch: 1,
  streamId: 1,
  mediaId: 'm_1',
  ordinal: 0,
  kind: 'unmixed',
  sourceId: '7',
  codec: 'opus',
} as const;

const engine = await createOpusEngine();
const decoders = engine.createDecoderPool({
  sampleRateHz: 16_000,
  channels: 1,
  capacity: 4,
  batch: { entries: 1, maxPacketBytes: 1280, maxSamples: FRAME_SAMPLES },
});
const speechModel = createSpeechModel({ capacity: 4 });
const slot = new FrameSlot(decoders.batch.packets[0]);

interface Frame {
  readonly sequence: number;
  readonly mediaTimeMs: number;
  readonly payload: Uint8Array;
}

interface Journey {
  readonly name: string;
  readonly frames: readonly Frame[];
}

/** Chance that is the same each time. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

function decodeAll(packets: readonly Uint8Array[]): Int16Array {
  const pcm = new Int16Array(packets.length * FRAME_SAMPLES);
  const decoder = decoders.acquire();
  for (const [n, packet] of packets.entries()) {
    const frame = pcm.subarray(n * FRAME_SAMPLES, (n + 1) * FRAME_SAMPLES);
    decoder.decode(packet, 0, packet.length, frame);
  }
  decoder.release();
  return pcm;
}

/** Keys pressed at any time, over speech too. */
function withTones(pcm: Int16Array, random: () => number): Int16Array {
  for (let n = 0; n < 25; n += 1) {
    const digit = DIGITS[Math.floor(random() * DIGITS.length)]!;
    const durationMs = 45 + Math.floor(random() * 300);
    const tone = generateTone({ digit, durationMs, sampleRateHz: 16_000 });
    pcm.set(tone, Math.floor(random() * (pcm.length - tone.length)));
  }
  return pcm;
}

/** On its way frames are lost, so many of them alone, and damaged, and the source pauses. */
function travel(
  name: string,
  packets: readonly Uint8Array[],
  random: () => number,
  aloneShare = 0,
): Journey {
  let mediaTimeMs = 250.4;
  let lost = 0;
  const frames = packets.flatMap((payload, n) => {
    mediaTimeMs += 20;
    if (random() < 0.002) mediaTimeMs += random() < 0.5 ? 5000 : 140;
    lost = random() < 0.01 ? 1 + Math.floor(random() * random() * 20) : lost - 1;
    if (lost > 0 || (aloneShare > 0 && random() < aloneShare)) return [];
    const isDamaged = random() < 0.003;
    const sequence = (FIRST + n) >>> 0;
    return [{ sequence, mediaTimeMs, payload: isDamaged ? Uint8Array.of(255, 255, 255) : payload }];
  });
  return { name, frames };
}

const ENCODINGS: Record<string, Omit<OpusEncoderOptions, 'sampleRateHz' | 'channels'>> = {
  'SILK with DTX': { bitrateBps: 24_000, dtx: true, application: 'voip' },
  'SILK, narrow': { bitrateBps: 12_000, dtx: true, application: 'voip' },
  CELT: { bitrateBps: 48_000, dtx: false, application: 'audio' },
  'SILK with copies': { bitrateBps: 32_000, dtx: true, application: 'voip', fecLossPercent: 10 },
};

const journeys: Journey[] = [];
for (const [n, speaker] of SPEAKERS.entries()) {
  const { packets } = await readOggOpus(`${MEETING}${speaker}.opus`);
  const random = chance(n + 1);
  journeys.push(travel(`${speaker} of the meeting`, packets, random));
  const sound = withTones(decodeAll(packets), random);
  const [encoding, options] = Object.entries(ENCODINGS)[n % 4]!;
  const encoded = encodeFrames(engine, sound, { sampleRateHz: 16_000, channels: 1, ...options });
  const aloneShare = (options.fecLossPercent ?? 0) / 100;
  journeys.push(travel(`${speaker} with tones, ${encoding}`, encoded, random, aloneShare));
}

interface Hearing {
  readonly events: { readonly id: string }[];
  readonly cuts: { readonly checkpoint: StreamCheckpoint; readonly findings: number }[];
  /** What was found up to each frame, by its sequence. */
  readonly foundUntil: Map<number, number>;
  readonly last: number;
  /** Frames that came as copies. */
  readonly recovered: number;
}

/** Frames after a cut that are compared: all that differs after a loss or a pause shows. */
const HORIZON_FRAMES = 400;

function hear(journey: Journey, firstSequence: number, checkpoint?: StreamCheckpoint): Hearing {
  const shared = StreamCounters.allocate(firstSequence, checkpoint);
  const counters = new StreamCounters(shared);
  const findings: Finding[] = [];
  const cuts: { checkpoint: StreamCheckpoint; findings: number }[] = [];
  const foundUntil = new Map<number, number>();
  let last = firstSequence;
  const { batch } = decoders;
  const pcm = batch.pcm[0]!;
  const pipeline = new StreamPipeline({
    codec: CODEC.opus,
    decoders,
    carriesPrevious: opusPacketHasFec,
    speechModel,
    counters: shared,
    sink: (finding) => findings.push(finding),
  });
  for (const { sequence, mediaTimeMs, payload } of journey.frames) {
    const distance = (sequence - firstSequence) | 0;
    if (distance < 0) continue;
    if (checkpoint !== undefined && distance > HORIZON_FRAMES) break;
    last = sequence;
    Object.assign(slot, { sequence, mediaTimeMs, codec: CODEC.opus, length: payload.length });
    slot.payload.set(payload);
    if (pipeline.accept(slot, pcm)) {
      batch.set(0, pipeline.decoder, slot.length);
      batch.run(1);
      pipeline.decoded(batch.results[0]!, pcm);
    }
    pipeline.publish();
    foundUntil.set(sequence, findings.length);
    const newest = counters.checkpoint();
    if (newest === undefined) continue;
    if (newest.checkpoint.position !== cuts.at(-1)?.checkpoint.position) cuts.push(newest);
  }
  const events = findings.map((finding) => findingEvent(IDENTITY, finding));
  pipeline.close(CLOSE_MODE.abandon, pcm);
  return { events, cuts, foundUntil, last, recovered: counters.get('recovered') };
}

const whole = journeys.map((journey) => hear(journey, FIRST));

describe('an Opus stream that is continued elsewhere', () => {
  it('has material in which much is found', () => {
    const found = whole.flatMap(({ events }) => events);
    expect(found.filter(({ id }) => id.includes('tone')).length).toBeGreaterThan(80);
    expect(found.filter(({ id }) => id.includes('speech')).length).toBeGreaterThan(40);
    expect(found.filter(({ id }) => id.includes('gap')).length).toBeGreaterThan(60);
    expect(whole.reduce((sum, { recovered }) => sum + recovered, 0)).toBeGreaterThan(20);
  });

  it('gives the same events from the checkpoint on, wherever it is cut', () => {
    fc.assert(
      fc.property(
        fc.nat(journeys.length - 1),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (n, where) => {
          const { events, cuts, foundUntil } = whole[n]!;
          const cut = cuts[Math.floor(where * cuts.length)]!;
          const checkpoint = parseStreamCheckpoint(JSON.parse(JSON.stringify(cut.checkpoint)));
          if (checkpoint === undefined) throw new Error('a checkpoint must be readable');
          const available = (checkpoint.position - FIRST) >>> 0;
          const first = (checkpoint.position - Math.min(WARM_UP_FRAMES, available)) >>> 0;
          const second = hear(journeys[n]!, first, checkpoint);
          const found = events.slice(cut.findings, foundUntil.get(second.last));
          const expected = found.map(({ id }) => id);
          expect(second.events.map(({ id }) => id)).toEqual(expected);
        },
      ),
      // What fails is not made simpler: each try takes a while.
      { numRuns: 150, endOnFailure: true },
    );
  });
});
