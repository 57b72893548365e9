import { CodedError } from '@earshot/async';
import type { DecoderPoolOptions } from './decoder-pool.js';
import { DecoderPool } from './decoder-pool.js';
import { EngineMemory } from './engine-memory.js';
import type { OpusEncoderOptions } from './opus-encoder.js';
import { OpusEncoder } from './opus-encoder.js';
import { loadOpusModule } from './opusscript-module.js';

const SAMPLE_RATES_HZ: readonly number[] = [8000, 12000, 16000, 24000, 48000];

/** libopus 1.4 as WebAssembly, with its own memory. One per thread; not transferable. */
export class OpusEngine {
  readonly #memory: EngineMemory;

  constructor(memory: EngineMemory) {
    this.#memory = memory;
  }

  /** @throws CodedError `invalid_opus_options` */
  createDecoderPool(options: DecoderPoolOptions): DecoderPool {
    checkFormat('create a decoder pool', options);
    if (!Number.isSafeInteger(options.capacity) || options.capacity < 1) {
      throw invalidOptions('create a decoder pool', 'capacity must be ≥ 1', options.capacity);
    }
    return new DecoderPool(this.#memory, options);
  }

  /** @throws CodedError `invalid_opus_options` */
  createEncoder(options: OpusEncoderOptions): OpusEncoder {
    checkFormat('create an encoder', options);
    return new OpusEncoder(this.#memory, options);
  }
}

/** Loads libopus: about 10 ms, 16 MB. Each call makes an engine of its own. */
export async function createOpusEngine(): Promise<OpusEngine> {
  return new OpusEngine(new EngineMemory(loadOpusModule()));
}

// The C++ constructor aborts the whole module on a format that libopus refuses.
function checkFormat(action: string, format: { sampleRateHz: number; channels: number }): void {
  const { sampleRateHz, channels } = format;
  if (!SAMPLE_RATES_HZ.includes(sampleRateHz)) {
    const rule = `the sample rate must be one of ${SAMPLE_RATES_HZ.join(', ')} Hz`;
    throw invalidOptions(action, rule, sampleRateHz);
  }
  if (channels !== 1 && channels !== 2) {
    throw invalidOptions(action, 'channels must be 1 or 2', channels);
  }
}

function invalidOptions(action: string, rule: string, actual: number): CodedError {
  return new CodedError('invalid_opus_options', `Cannot ${action}: ${rule}, got ${actual}`);
}
