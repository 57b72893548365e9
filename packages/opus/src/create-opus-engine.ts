import { LibopusEngine } from './libopus/libopus-engine.js';
import { loadNativeBuild } from './libopus/native-build.js';
import { loadWasmBuild } from './libopus/wasm-build.js';
import type { OpusEngine, OpusEngineName } from './opus-engine.js';
import { OpusscriptEngine } from './opusscript/opusscript-engine.js';

export const DEFAULT_OPUS_ENGINE: OpusEngineName = 'wasm';

export interface CreateOpusEngineOptions {
  /** `DEFAULT_OPUS_ENGINE` when not said. */
  readonly engine?: OpusEngineName;
}

/**
 * Loads an engine for the calling thread. There is no fall-back: what was asked for, or an error.
 *
 * @throws CodedError `opus_engine_unavailable` when it does not load on this machine.
 */
export async function createOpusEngine(options: CreateOpusEngineOptions = {}): Promise<OpusEngine> {
  const { engine = DEFAULT_OPUS_ENGINE } = options;
  switch (engine) {
    case 'wasm':
      return new LibopusEngine('wasm', loadWasmBuild());
    case 'native':
      return new LibopusEngine('native', loadNativeBuild());
    case 'opusscript':
      return new OpusscriptEngine();
  }
}
