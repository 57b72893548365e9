import type {
  DecoderPool,
  DecoderPoolOptions,
  EncoderPool,
  EncoderPoolOptions,
  OpusEngine,
} from '../opus-engine.js';
import { checkDecoderPool, checkEncoderPool } from '../opus-options.js';
import { OpusscriptDecoderPool } from './opusscript-decoder-pool.js';
import { OpusscriptEncoderPool } from './opusscript-encoder-pool.js';
import { OpusscriptMemory } from './opusscript-memory.js';
import type { OpusModule } from './opusscript-module.js';
import { loadOpusModule } from './opusscript-module.js';

/** libopus 1.4 as the npm package opusscript builds it; all pools share one memory. */
export class OpusscriptEngine implements OpusEngine {
  readonly name = 'opusscript';
  readonly version = 'libopus 1.4';
  readonly recoversFec = false;
  readonly #memory: OpusscriptMemory;

  constructor(module: OpusModule = loadOpusModule()) {
    this.#memory = new OpusscriptMemory(module);
  }

  createDecoderPool(options: DecoderPoolOptions): DecoderPool {
    checkDecoderPool(options);
    return new OpusscriptDecoderPool(this.#memory, options);
  }

  createEncoderPool(options: EncoderPoolOptions): EncoderPool {
    checkEncoderPool(options);
    return new OpusscriptEncoderPool(this.#memory, options);
  }
}
