import type {
  DecoderPool,
  DecoderPoolOptions,
  EncoderPool,
  EncoderPoolOptions,
  OpusEngine,
} from '../opus-engine.js';
import { checkDecoderPool, checkEncoderPool } from '../opus-options.js';
import type { CodecBuild } from './codec.js';
import { LibopusDecoderPool } from './libopus-decoder-pool.js';
import { LibopusEncoderPool } from './libopus-encoder-pool.js';

/** Our own build of libopus, as WebAssembly or as machine code. */
export class LibopusEngine implements OpusEngine {
  readonly name: 'wasm' | 'native';
  readonly version: string;
  readonly recoversFec = true;
  readonly #build: CodecBuild;

  constructor(name: 'wasm' | 'native', build: CodecBuild) {
    this.name = name;
    this.version = build.version;
    this.#build = build;
  }

  createDecoderPool(options: DecoderPoolOptions): DecoderPool {
    checkDecoderPool(options);
    return new LibopusDecoderPool(this.#build, options);
  }

  createEncoderPool(options: EncoderPoolOptions): EncoderPool {
    checkEncoderPool(options);
    return new LibopusEncoderPool(this.#build, options);
  }
}
