import type { OpusEngine, OpusSampleRateHz } from '@earshot/opus';
import type { Control } from '../control/control.js';
import type { Corpora, Mode } from '../corpora/make-corpora.js';
import type { Quartiles } from '../quartiles.js';
import { quartilesOf } from '../quartiles.js';
import { BATCH_ENTRIES, MAX_PACKET_BYTES, runBatches } from './batch-run.js';

const COLUMNS = {
  silk16: { mode: 'silk', sampleRateHz: 16_000 },
  hybrid16: { mode: 'hybrid', sampleRateHz: 16_000 },
  celt16: { mode: 'celt', sampleRateHz: 16_000 },
  hybrid48: { mode: 'hybrid', sampleRateHz: 48_000 },
  celt48: { mode: 'celt', sampleRateHz: 48_000 },
} as const satisfies Record<Column, { mode: Mode; sampleRateHz: OpusSampleRateHz }>;

/** A column of the table: the mode of the packets and the rate, in kHz, that they are decoded to. */
export type Column = 'silk16' | 'hybrid16' | 'celt16' | 'hybrid48' | 'celt48';

export const COLUMN_NAMES: readonly Column[] = [
  'silk16',
  'hybrid16',
  'celt16',
  'hybrid48',
  'celt48',
];

export interface Speed {
  /** CPU time of the engine over that of C. */
  readonly ratio: Quartiles;
  /** CPU time of C, µs a frame. */
  readonly controlMicros: number;
}

export interface SpeedOptions {
  readonly engine: OpusEngine;
  readonly control: Control;
  readonly corpora: Corpora;
  readonly column: Column;
  /** Pairs of slices, each of which decodes the whole corpus. */
  readonly rounds: number;
}

/**
 * CPU time of an engine over that of the same work in C, by slices side by side: what disturbs the
 * machine disturbs both.
 */
export function measureSpeed({ engine, control, corpora, column, rounds }: SpeedOptions): Speed {
  const { mode, sampleRateHz } = COLUMNS[column];
  const { packets, bytes, offsets } = corpora[mode];
  const maxSamples = sampleRateHz / 50;
  const pool = engine.createDecoderPool({
    sampleRateHz,
    channels: 1,
    capacity: 1,
    batch: { entries: BATCH_ENTRIES, maxPacketBytes: MAX_PACKET_BYTES, maxSamples },
  });
  const decoder = pool.acquire();
  const reference = control.createDecoder(sampleRateHz, 1);
  const pcm = new Int16Array(BATCH_ENTRIES * maxSamples);

  const ours = (): number => {
    const startNs = control.cpuNs();
    runBatches(pool, decoder, packets);
    return control.cpuNs() - startNs;
  };
  const theirs = (): number => control.decodeAll(reference, bytes, offsets, pcm, maxSamples);

  // Until the compilers are done.
  for (let i = 0; i < 5; i += 1) ours();
  theirs();
  const ratios: number[] = [];
  const controlMicros: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    // In turns first: a machine that gets faster or slower favours neither.
    const [our, their] = round % 2 === 0 ? [ours(), theirs()] : [theirs(), ours()].reverse();
    ratios.push(our! / their!);
    controlMicros.push(their! / 1000 / packets.length);
  }
  decoder.release();
  return { ratio: quartilesOf(ratios), controlMicros: quartilesOf(controlMicros).median };
}
