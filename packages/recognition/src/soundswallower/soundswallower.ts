import { CodedError } from '@earshot/async';
import type {
  Recognizer,
  RecognizerCapabilities,
  RecognizerSession,
  RecognizerSessionOptions,
} from '../recognizer.js';
import { DecoderPool } from './decoder-pool.js';
import { MODELS } from './phrase-decoder.js';
import type { PhraseGrammar } from './phrase-grammar.js';
import { buildPhraseGrammar } from './phrase-grammar.js';
import { ENGINE_NAME, PhraseSession } from './phrase-session.js';

export interface SoundSwallowerOptions {
  /** Most decoders held, some 100 MB each; a second one spares changing between two calls' phrases. */
  readonly maxDecoders?: number;
  /** Of words that the dictionary lacks, in the model's phones: `{ earshot: 'IH R SH AA T' }`. */
  readonly pronunciations?: Readonly<Record<string, string>>;
}

const DEFAULT_MAX_DECODERS = 2;
/** Grammars of calls that are over are let go. */
const MAX_GRAMMARS = 64;

/**
 * Finds phrases in speech, in English or French, on this machine and with nothing to set up: the
 * models come with the program. All other speech gives nothing.
 *
 * Beyond the port's, `open` rejects with `phrase_unpronounceable` and `phrase_grammar_invalid`.
 */
export function createSoundSwallower(options: SoundSwallowerOptions = {}): Recognizer {
  const { maxDecoders = DEFAULT_MAX_DECODERS, pronunciations = {} } = options;
  if (!Number.isInteger(maxDecoders) || maxDecoders < 1) {
    throw new CodedError(
      'invalid_recognizer_options',
      `maxDecoders must be a whole number from 1 on, it is ${maxDecoders}`,
    );
  }
  return new SoundSwallower(new DecoderPool({ maxDecoders, pronunciations }));
}

class SoundSwallower implements Recognizer {
  readonly name = ENGINE_NAME;
  readonly capabilities: RecognizerCapabilities = {
    tasks: ['phrases'],
    partials: false,
    wordTimes: true,
    confidence: true,
    languages: Object.keys(MODELS),
    runs: 'local',
  };
  readonly #pool: DecoderPool;
  readonly #sessions = new Set<PhraseSession>();
  /** By language and task, so that sessions of one call share theirs; the oldest first. */
  readonly #grammars = new Map<string, PhraseGrammar>();
  #isClosed = false;

  constructor(pool: DecoderPool) {
    this.#pool = pool;
  }

  async open(options: RecognizerSessionOptions): Promise<RecognizerSession> {
    const { task } = options;
    if (task.kind !== 'phrases') {
      throw new CodedError('recognizer_refused', `${ENGINE_NAME} finds phrases, not ${task.kind}`);
    }
    const language = options.language.split('-')[0]!.toLowerCase();
    if (!Object.hasOwn(MODELS, language)) {
      const known = Object.keys(MODELS).join(' and ');
      throw new CodedError(
        'language_unsupported',
        `${ENGINE_NAME} knows ${known}, not ${options.language}`,
      );
    }
    this.#assertOpen();
    const phones = await this.#pool.phones(language);
    this.#assertOpen();
    const grammar = this.#compile(language, phones, task);
    await this.#pool.check(language, grammar);
    this.#assertOpen();
    const session: PhraseSession = new PhraseSession(options, {
      pool: this.#pool,
      language,
      grammar,
      onClosed: () => this.#sessions.delete(session),
    });
    this.#sessions.add(session);
    return session;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#sessions].map((session) => session.close()));
    this.#pool.close();
  }

  #assertOpen(): void {
    if (this.#isClosed) {
      throw new CodedError('recognizer_unavailable', `${ENGINE_NAME} was closed`);
    }
  }

  #compile(
    language: string,
    phones: readonly string[],
    task: RecognizerSessionOptions['task'] & { kind: 'phrases' },
  ): PhraseGrammar {
    const key = JSON.stringify([language, task.phrases, task.jsgf]);
    const known = this.#grammars.get(key);
    if (known !== undefined) return known;
    const grammar = buildPhraseGrammar(task, phones, language);
    this.#grammars.set(key, grammar);
    const oldest = this.#grammars.keys().next();
    if (this.#grammars.size > MAX_GRAMMARS && !oldest.done) this.#grammars.delete(oldest.value);
    return grammar;
  }
}
