import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CodedError } from '@earshot/async';
import { RECOGNIZER_SAMPLE_RATE_HZ } from '../recognizer.js';
import { hasPhrases } from './find-phrases.js';
import type { AlignedSegment, Decoder } from './module.js';
import { loadModule, modelFolder } from './module.js';
import type { PhraseGrammar } from './phrase-grammar.js';
import { FILLER_PREFIX, PAUSE_WORD } from './phrase-grammar.js';

/** Quiet before and after, so that the first and the last phone have room. */
const QUIET_MS = 100;
const QUIET_SAMPLES = (QUIET_MS * RECOGNIZER_SAMPLE_RATE_HZ) / 1000;
const FULL_SCALE = 32_768;
/** How deep an alignment goes. */
const WORDS = 0;
const PHONES = 1;
/** Noises of the model that are no phones. */
const NO_PHONES: ReadonlySet<string> = new Set(['SIL', '+NSN+', '+SPN+']);

/** Models that come with the program, by primary language. */
export const MODELS: Readonly<Record<string, string>> = { en: 'en-us', fr: 'fr-fr' };

/** A decoder with the model of one language, given one grammar after another. Some 100 MB. */
export class PhraseDecoder {
  readonly language: string;
  readonly phones: readonly string[];
  readonly #decoder: Decoder;
  #grammar: PhraseGrammar | undefined;

  private constructor(language: string, phones: readonly string[], decoder: Decoder) {
    this.language = language;
    this.phones = phones;
    this.#decoder = decoder;
  }

  /** @param pronunciations of words that the dictionary lacks, in phones of the model. */
  static async load(
    language: string,
    pronunciations: Readonly<Record<string, string>>,
  ): Promise<PhraseDecoder> {
    const folder = path.join(modelFolder(), MODELS[language] ?? language);
    const { Decoder } = await loadModule();
    const decoder = new Decoder({
      hmm: folder,
      loglevel: 'FATAL',
      samprate: RECOGNIZER_SAMPLE_RATE_HZ,
      // Scores by the same measure in each frame, whatever else is looked at.
      compallsen: 1,
      // Each phone of other speech is a word: made dearer, more phrases are looked at.
      wip: 0.3,
    });
    await decoder.initialize();
    const phoneset: unknown = JSON.parse(
      await readFile(path.join(folder, 'phoneset.json'), 'utf8'),
    );
    const phones = Object.keys(phoneset ?? {}).filter((phone) => !NO_PHONES.has(phone));
    decoder.add_words(
      ...Object.entries(pronunciations).map(
        ([word, phone]) => [word.toLowerCase(), phone] as const,
      ),
      ...phones.map((phone) => [`${FILLER_PREFIX}${phone}`, phone] as const),
      [PAUSE_WORD, 'SIL'],
    );
    return new PhraseDecoder(language, phones, decoder);
  }

  /**
   * Makes it listen for the phrases of a grammar; at once when it does already, else some 10 ms.
   *
   * @throws CodedError `phrase_unpronounceable`, `phrase_grammar_invalid`
   */
  use(grammar: PhraseGrammar): void {
    if (this.#grammar === grammar) return;
    for (const [word, place] of grammar.words) {
      if (this.#decoder.lookup_word(word) === null) throw unpronounceable(place);
    }
    this.#grammar = undefined;
    try {
      this.#decoder.set_grammar(grammar.jsgf, grammar.topRule);
    } catch (cause) {
      throw new CodedError(
        'phrase_grammar_invalid',
        'a JSGF grammar must be readable, this is not',
        {
          cause,
        },
      );
    }
    this.#grammar = grammar;
  }

  /**
   * What was said in an utterance, in order; times are seconds from its first sample. Keeps nothing
   * of it: the same samples always give the same. Computes for some 15 % of the utterance's length.
   */
  decode(pcm: Int16Array): readonly AlignedSegment[] {
    const sound = new Float32Array(pcm.length + 2 * QUIET_SAMPLES);
    for (let i = 0; i < pcm.length; i += 1) sound[i + QUIET_SAMPLES] = pcm[i]! / FULL_SCALE;
    this.#decoder.start();
    this.#decoder.process_audio(sound, false, true);
    this.#decoder.stop();
    const words = this.#alignment();
    return words.map((word) => ({ ...word, b: word.b - QUIET_MS / 1000 }));
  }

  delete(): void {
    this.#decoder.delete();
  }

  /**
   * Words with their phones. Empty when nothing fits the grammar, such as for a few milliseconds of
   * sound, and for speech without a phrase: to align phones takes half as long again as to decode.
   */
  #alignment(): readonly AlignedSegment[] {
    try {
      const { w: words = [] } = this.#decoder.get_alignment({ align_level: WORDS });
      if (!hasPhrases(words)) return [];
      return this.#decoder.get_alignment({ align_level: PHONES }).w ?? [];
    } catch {
      return [];
    }
  }
}

function unpronounceable(place: string): CodedError {
  return new CodedError(
    'phrase_unpronounceable',
    `words of phrases must be in the dictionary, ${place} is not`,
    { fix: 'Write it in words of the language, or give its pronunciation.' },
  );
}
