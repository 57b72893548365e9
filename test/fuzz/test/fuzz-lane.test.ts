// That the fuzzer finds what it is there for: engines with one fault each.
import type { DecodeBatch, DecoderPool, OpusDecoder, OpusEngine } from '@earshot/opus';
import { createOpusEngine } from '@earshot/opus';
import { beforeAll, expect, test } from 'vitest';
import { FuzzLane } from '../src/fuzz-lane.js';
import type { PacketStream } from '../src/packet-corpus.js';
import { makePacketCorpus } from '../src/packet-corpus.js';
import { Random } from '../src/random.js';

const STEPS = 2000;

let engine: OpusEngine;
let streams: PacketStream[];
beforeAll(async () => {
  engine = await createOpusEngine({ engine: 'wasm' });
  streams = await makePacketCorpus();
});

/** What is found within some steps. */
function findFault(faulty: OpusEngine): string | undefined {
  const counts = {
    runs: 0,
    decoded: 0,
    refused: 0,
    concealed: 0,
    recovered: 0,
    renewed: 0,
    controlFrames: 0,
  };
  const lane = new FuzzLane({
    engine: faulty,
    format: { sampleRateHz: 16_000, channels: 1, maxSamples: 320, entries: 8, decoders: 12 },
    streams,
    random: new Random(1),
    counts,
  });
  for (let step = 0; step < STEPS; step += 1) {
    const problem = lane.step();
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The engine, with something done after each batch. */
function withFault(
  afterRun: (batch: DecodeBatch, count: number, turn: number) => void,
): OpusEngine {
  return {
    name: engine.name,
    version: engine.version,
    recoversFec: engine.recoversFec,
    createEncoderPool: (options) => engine.createEncoderPool(options),
    createDecoderPool: (options) => faultyPool(engine.createDecoderPool(options), afterRun),
  };
}

function faultyPool(
  pool: DecoderPool,
  afterRun: (batch: DecodeBatch, count: number, turn: number) => void,
): DecoderPool {
  const { batch } = pool;
  let turn = 0;
  return {
    capacity: pool.capacity,
    get inUse() {
      return pool.inUse;
    },
    acquire: (): OpusDecoder => pool.acquire(),
    batch: {
      entries: batch.entries,
      packets: batch.packets,
      pcm: batch.pcm,
      results: batch.results,
      set: (entry, decoder, length) => batch.set(entry, decoder, length),
      run(count) {
        batch.run(count);
        turn += 1;
        afterRun(batch, count, turn);
      },
    },
  };
}

test('an engine without a fault', () => {
  expect(findFault(withFault(() => {}))).toBeUndefined();
});

test('a sample beyond an entry', () => {
  const fault = withFault(({ pcm }, count, turn) => {
    if (turn === 200) pcm[count % pcm.length]![0] = 1;
    if (turn === 200) pcm[(count + 1) % pcm.length]![0] = 1;
  });
  expect(findFault(fault)).toMatch(/guard entry \d was written to|sounds different/);
});

test('a byte written into the packet next door', () => {
  const fault = withFault(({ packets, entries }) => {
    packets[entries - 1]!.fill(0, -1);
    packets[entries - 2]!.fill(0, -1);
  });
  expect(findFault(fault)).toMatch(/guard entry/);
});

test('a packet that is longer than its TOC says', () => {
  const fault = withFault(({ results }) => {
    const entry = results.indexOf(160);
    if (entry >= 0) results[entry] = 320;
  });
  expect(findFault(fault)).toMatch(/the packet decoded to 320 samples and its TOC says 160/);
});

test('one sample of an untouched stream', () => {
  const fault = withFault(({ pcm, results }, count, turn) => {
    if (turn % 20 !== 0) return;
    for (let entry = 0; entry < count; entry += 1) {
      if (results[entry]! > 0) pcm[entry]![7]! ^= 1;
    }
  });
  expect(findFault(fault)).toMatch(/an untouched stream in entry \d sounds different/);
});
