import type {
  DecodeBatch,
  DecoderPool,
  OpusDecoder,
  OpusEngine,
  OpusSampleRateHz,
} from '@earshot/opus';
import { ControlStream, decodeAlone } from './control-stream.js';
import { GuardedEntries } from './guarded-entries.js';
import type { PacketStream } from './packet-corpus.js';
import { PacketMutator } from './packet-mutator.js';
import type { Random } from './random.js';
import { tocSamples } from './toc.js';

export interface LaneFormat {
  readonly sampleRateHz: OpusSampleRateHz;
  readonly channels: 1 | 2;
  readonly maxSamples: number;
  readonly entries: number;
  /** Decoders that are fed hostile packets. */
  readonly decoders: number;
}

export interface LaneOptions {
  readonly engine: OpusEngine;
  readonly format: LaneFormat;
  readonly streams: readonly PacketStream[];
  readonly random: Random;
  readonly counts: FuzzCounts;
}

/** What happened so far. */
export interface FuzzCounts {
  /** Packets given to decoders, and losses filled in. */
  runs: number;
  decoded: number;
  refused: number;
  concealed: number;
  recovered: number;
  /** Decoders that were reset, or given back and taken anew. */
  renewed: number;
  /** Frames of untouched streams that were compared. */
  controlFrames: number;
}

/** The longest packet that the batch takes, as in a decode thread. */
const MAX_PACKET_BYTES = 1280;
const GUARD_SAMPLES = 64;
const GUARD_VALUE = -12_345;

interface Victim {
  decoder: OpusDecoder;
  stream: PacketStream;
  next: number;
}

/** An entry of the batch and what it must give. */
interface Job {
  entry: number;
  wantedSamples: number;
  control: ControlStream | undefined;
}

/** One pool of decoders, most of them under attack, some in the middle decoding what is known. */
export class FuzzLane {
  readonly #options: LaneOptions;
  readonly #pool: DecoderPool;
  readonly #batch: DecodeBatch;
  readonly #guards: GuardedEntries;
  readonly #mutator: PacketMutator;
  readonly #victims: Victim[];
  readonly #controls: readonly ControlStream[];
  /** `GUARD_SAMPLES`, then output, then guards. */
  readonly #scratch: Int16Array;
  #turn = 0;
  #controlTurn = 0;

  constructor(options: LaneOptions) {
    const { engine, format, streams, random } = options;
    const { sampleRateHz, channels, maxSamples, entries, decoders } = format;
    this.#options = options;
    this.#pool = engine.createDecoderPool({
      sampleRateHz,
      channels,
      capacity: decoders + streams.length,
      batch: { entries, maxPacketBytes: MAX_PACKET_BYTES, maxSamples },
    });
    this.#batch = this.#pool.batch;
    this.#guards = new GuardedEntries(this.#batch);
    this.#mutator = new PacketMutator(random, streams);
    const alone = engine.createDecoderPool({ sampleRateHz, channels, capacity: 1 });
    const frameLength = (sampleRateHz / 50) * channels;
    this.#controls = streams.map((packets) => {
      const expected = decodeAlone(alone, packets, frameLength);
      return new ControlStream({ pool: this.#pool, channels, packets, expected });
    });
    this.#victims = Array.from({ length: decoders }, (_, i) => ({
      decoder: this.#pool.acquire(),
      stream: streams[i % streams.length]!,
      next: 0,
    }));
    this.#scratch = new Int16Array(maxSamples * channels + 2 * GUARD_SAMPLES);
    this.#scratch.fill(GUARD_VALUE);
  }

  /** The packet that was handed out last. */
  get lastPacket(): Uint8Array {
    return this.#mutator.bytes.subarray(0, this.#mutator.length);
  }

  /** One batch or one call; returns what is wrong, if anything. */
  step(): string | undefined {
    return this.#options.random.oneIn(3) ? this.#single() : this.#runBatch();
  }

  #runBatch(): string | undefined {
    const { random, format } = this.#options;
    const count = 1 + random.below(format.entries);
    const guardParity = random.below(2);
    const jobs: Job[] = [];
    for (let entry = 0; entry < format.entries; entry += 1) {
      const isGuard = entry >= count || entry % 2 === guardParity;
      if (!isGuard) {
        jobs.push(random.oneIn(6) ? this.#setControl(entry) : this.#setVictim(entry));
        continue;
      }
      this.#guards.arm(entry);
      // An empty packet: its entry must be answered with an error and left alone.
      this.#batch.set(entry, this.#victims[0]!.decoder, 0);
    }
    this.#batch.run(count);
    for (let entry = 0; entry < format.entries; entry += 1) {
      const isGuard = entry >= count || entry % 2 === guardParity;
      if (isGuard && !this.#guards.isIntact(entry)) return `guard entry ${entry} was written to`;
    }
    for (const job of jobs) {
      const problem = this.#checkJob(job);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  #setControl(entry: number): Job {
    const control = this.#controls[this.#controlTurn]!;
    this.#controlTurn = (this.#controlTurn + 1) % this.#controls.length;
    const { packet, decoder } = control;
    this.#batch.packets[entry]!.set(packet);
    this.#batch.set(entry, decoder, packet.length);
    return { entry, control, wantedSamples: this.#options.format.sampleRateHz / 50 };
  }

  #setVictim(entry: number): Job {
    const victim = this.#attack();
    const { bytes, length } = this.#mutator;
    const target = this.#batch.packets[entry]!;
    target.set(bytes.subarray(0, Math.min(length, target.length)));
    this.#batch.set(entry, victim.decoder, length);
    const { sampleRateHz, maxSamples } = this.#options.format;
    const samples = length > target.length ? 0 : tocSamples(bytes, 0, length, sampleRateHz);
    return { entry, control: undefined, wantedSamples: samples > maxSamples ? 0 : samples };
  }

  #checkJob({ entry, wantedSamples, control }: Job): string | undefined {
    const result = this.#batch.results[entry]!;
    if (control === undefined) return this.#checkResult(result, wantedSamples);
    this.#options.counts.runs += 1;
    this.#options.counts.controlFrames += 1;
    if (control.check(result, this.#batch.pcm[entry]!)) return undefined;
    return `an untouched stream in entry ${entry} sounds different`;
  }

  #checkResult(result: number, wantedSamples: number): string | undefined {
    const { counts } = this.#options;
    counts.runs += 1;
    if (result < 0) {
      counts.refused += 1;
      return undefined;
    }
    counts.decoded += 1;
    if (result === wantedSamples && result > 0) return undefined;
    return `the packet decoded to ${result} samples and its TOC says ${wantedSamples}`;
  }

  /** Fills the mutator with the next packet for the next decoder, real or not. */
  #attack(): Victim {
    const { random } = this.#options;
    const victim = this.#victims[this.#turn]!;
    this.#turn = (this.#turn + 1) % this.#victims.length;
    const packet = victim.stream[victim.next % victim.stream.length]!;
    victim.next += 1;
    if (random.oneIn(4)) this.#mutator.keep(packet);
    else this.#mutator.next(random.oneIn(4) ? undefined : packet);
    return victim;
  }

  #single(): string | undefined {
    const victim = this.#attack();
    const { random, counts } = this.#options;
    const out = this.#anyOutput();
    const problem = this.#call(victim, out);
    if (problem !== undefined) return problem;
    if (!this.#isAround(out)) return 'samples were written outside the output';
    if (random.oneIn(8)) {
      victim.decoder.reset();
      counts.renewed += 1;
    }
    if (random.oneIn(32)) {
      victim.decoder.release();
      victim.decoder = this.#pool.acquire();
      victim.stream = random.pick(this.#options.streams);
      counts.renewed += 1;
    }
    return undefined;
  }

  #call({ decoder }: Victim, out: Int16Array): string | undefined {
    const { random, counts, format } = this.#options;
    const { bytes, length } = this.#mutator;
    const lost = this.#anyLoss();
    switch (random.below(4)) {
      case 0: {
        counts.concealed += 1;
        return this.#checkLoss(decoder.conceal(lost, out), lost);
      }
      case 1: {
        counts.recovered += 1;
        return this.#checkLoss(decoder.recover(bytes, 0, length, lost, out), lost);
      }
      default: {
        const offset = Math.min(random.below(4), length);
        const wanted = tocSamples(bytes, offset, length - offset, format.sampleRateHz);
        const fits = wanted * format.channels <= out.length;
        return this.#checkResult(
          decoder.decode(bytes, offset, length - offset, out),
          fits ? wanted : 0,
        );
      }
    }
  }

  #checkLoss(result: number, lost: number): string | undefined {
    this.#options.counts.runs += 1;
    if (result < 0 || result === lost) return undefined;
    return `a loss of ${lost} samples was filled in with ${result}`;
  }

  /** Mostly a frame; otherwise any length, also such that libopus can't make. */
  #anyLoss(): number {
    const { random, format } = this.#options;
    if (random.oneIn(8)) return random.below(format.maxSamples * 2);
    return (format.sampleRateHz / 400) * random.pick([1, 2, 4, 8, 8, 8, 16, 24]);
  }

  #anyOutput(): Int16Array {
    const { random, format } = this.#options;
    const full = format.maxSamples * format.channels;
    const length = random.oneIn(4) ? random.below(full + 1) : full;
    this.#scratch.fill(GUARD_VALUE, GUARD_SAMPLES + length);
    return this.#scratch.subarray(GUARD_SAMPLES, GUARD_SAMPLES + length);
  }

  #isAround(out: Int16Array): boolean {
    const before = this.#scratch.subarray(0, GUARD_SAMPLES);
    const after = this.#scratch.subarray(GUARD_SAMPLES + out.length);
    return isGuard(before) && isGuard(after);
  }
}

function isGuard(samples: Int16Array): boolean {
  for (let i = 0; i < samples.length; i += 1) if (samples[i] !== GUARD_VALUE) return false;
  return true;
}
