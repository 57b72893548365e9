import { CodedError } from '@earshot/async';
import type { OpusEngine, OpusEngineName } from '@earshot/opus';
import { createOpusEngine, OPUS_ENGINES } from '@earshot/opus';
import type { EngineResult } from '../bench-result.js';
import { loadControl } from '../control/control.js';
import type { Corpora } from '../corpora/make-corpora.js';
import { say } from '../progress.js';
import { countWrongFrames } from './count-wrong-frames.js';
import { measureMemory } from './measure-memory.js';
import type { Column, Speed } from './measure-speed.js';
import { measureSpeed } from './measure-speed.js';

const ROUNDS = 80;
const QUICK_ROUNDS = 16;

/** All that was measured of one engine. */
export interface EngineFigures {
  readonly name: OpusEngineName;
  readonly version: string;
  readonly speed: Readonly<Record<Column, Speed>>;
  readonly result: EngineResult;
}

export interface MeasureOptions {
  readonly engines: readonly OpusEngine[];
  /** File of the C control. */
  readonly control: string;
  readonly corpora: Corpora;
  readonly quick: boolean;
}

/**
 * The engines asked for, or all that load here.
 *
 * @throws CodedError `opus_engine_unavailable` when one that was asked for does not load.
 */
export async function loadEngines(
  asked: readonly OpusEngineName[] | undefined,
): Promise<OpusEngine[]> {
  const engines: OpusEngine[] = [];
  for (const name of asked ?? OPUS_ENGINES) {
    try {
      engines.push(await createOpusEngine({ engine: name }));
    } catch (error) {
      if (asked !== undefined || !(error instanceof CodedError)) throw error;
      say(`${name} is left out: ${error.message}`);
    }
  }
  return engines;
}

/** One engine after another. */
export async function measureEngines(options: MeasureOptions): Promise<EngineFigures[]> {
  const { engines } = options;
  const figures: EngineFigures[] = [];
  for (const engine of engines) figures.push(await measureEngine(engine, options));
  return figures;
}

async function measureEngine(
  engine: OpusEngine,
  { control: file, corpora, quick }: MeasureOptions,
): Promise<EngineFigures> {
  const { name, version } = engine;
  const control = loadControl(file);
  const rounds = quick ? QUICK_ROUNDS : ROUNDS;
  const measure = (column: Column): Speed => {
    say(`${name}: ${column}`);
    return measureSpeed({ engine, control, corpora, column, rounds });
  };
  const speed = recordOf(measure);
  say(`${name}: memory and garbage`);
  const memory = await measureMemory({ engine: name, control: file, corpus: corpora.silk });
  say(`${name}: 500 decoders beside libopus`);
  const wrongFrames = countWrongFrames(engine, control, corpora);
  const ratios = recordOf((column) => speed[column].ratio.median);
  return { name, version, speed, result: { ...ratios, ...memory, wrongFrames } };
}

function recordOf<T>(measure: (column: Column) => T): Record<Column, T> {
  return {
    silk16: measure('silk16'),
    hybrid16: measure('hybrid16'),
    celt16: measure('celt16'),
    hybrid48: measure('hybrid48'),
    celt48: measure('celt48'),
  };
}
