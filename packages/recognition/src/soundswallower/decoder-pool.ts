import type { AlignedSegment } from './module.js';
import { PhraseDecoder } from './phrase-decoder.js';
import type { PhraseGrammar } from './phrase-grammar.js';

export interface DecoderPoolOptions {
  /** Most decoders held; the one not used for longest makes room. */
  readonly maxDecoders: number;
  readonly pronunciations: Readonly<Record<string, string>>;
}

/**
 * Decoders that all sessions of a thread share. An utterance is decoded in one go, so a decoder is
 * never in use when another session asks: more than one spares changing grammars.
 */
export class DecoderPool {
  readonly #options: DecoderPoolOptions;
  /** In order of use, the newest last. */
  readonly #decoders: { readonly decoder: PhraseDecoder; grammar: PhraseGrammar | undefined }[] =
    [];
  /** Loads go one after the other. */
  #loading: Promise<void> = Promise.resolve();

  constructor(options: DecoderPoolOptions) {
    this.#options = options;
  }

  /** Phones of a language, whose decoder is loaded if need be. */
  async phones(language: string): Promise<readonly string[]> {
    return (await this.#ready(language)).phones;
  }

  /**
   * Finds out whether a grammar can be used.
   *
   * @throws CodedError `phrase_unpronounceable`, `phrase_grammar_invalid`
   */
  async check(language: string, grammar: PhraseGrammar): Promise<void> {
    await this.#ready(language);
    this.#take(language, grammar);
  }

  /** Decodes an utterance; see `PhraseDecoder.decode`. */
  async decode(
    language: string,
    grammar: PhraseGrammar,
    pcm: Int16Array,
  ): Promise<readonly AlignedSegment[]> {
    await this.#ready(language);
    const decoder = this.#take(language, grammar);
    try {
      return decoder.decode(pcm);
    } catch (error) {
      // Its state is not known: the next utterance has a fresh one.
      this.#forget(decoder);
      throw error;
    }
  }

  close(): void {
    for (const { decoder } of this.#decoders.splice(0)) decoder.delete();
  }

  #find(language: string, grammar?: PhraseGrammar): number {
    return this.#decoders.findLastIndex(
      (entry) =>
        entry.decoder.language === language && (grammar === undefined || entry.grammar === grammar),
    );
  }

  async #ready(language: string): Promise<PhraseDecoder> {
    const load = this.#loading.then(async () => {
      if (this.#find(language) >= 0) return;
      this.#decoders.push({
        decoder: await PhraseDecoder.load(language, this.#options.pronunciations),
        grammar: undefined,
      });
      while (this.#decoders.length > this.#options.maxDecoders) {
        this.#decoders.shift()?.decoder.delete();
      }
    });
    this.#loading = load.catch(() => {});
    await load;
    return this.#decoders[this.#find(language)]!.decoder;
  }

  #take(language: string, grammar: PhraseGrammar): PhraseDecoder {
    const same = this.#find(language, grammar);
    const index = same >= 0 ? same : this.#find(language);
    const [entry] = this.#decoders.splice(index, 1);
    this.#decoders.push(entry!);
    entry!.grammar = undefined;
    entry!.decoder.use(grammar);
    entry!.grammar = grammar;
    return entry!.decoder;
  }

  #forget(decoder: PhraseDecoder): void {
    const index = this.#decoders.findIndex((entry) => entry.decoder === decoder);
    if (index >= 0) this.#decoders.splice(index, 1);
  }
}
