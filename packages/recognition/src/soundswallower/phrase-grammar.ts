import { CodedError } from '@earshot/async';
import type { RecognizerTask } from '../recognizer.js';

/** Marks words that are single phones: speech that is no phrase. */
export const FILLER_PREFIX = '_';

/** Silence as a word, so that a pause may stand between two phrases. */
export const PAUSE_WORD: string = `${FILLER_PREFIX}SIL`;

const GRAMMAR_NAME = 'phrases';
const TOP_RULE = 'earshot_top';
const FILLER_RULE = 'earshot_other';
const PHRASE_RULE = 'earshot_phrase';
const TOP = `${GRAMMAR_NAME}.${TOP_RULE}`;

/** What a decoder is given to find the phrases of a task. */
export interface PhraseGrammar {
  /** JSGF that spans whole utterances: phrases with other speech around and between them. */
  readonly jsgf: string;
  readonly topRule: string;
  /** Words that must have a pronunciation, and where each was asked for. */
  readonly words: ReadonlyMap<string, string>;
  /** Phrases as given, by their words; sentences of a grammar are not among them. */
  readonly canonical: ReadonlyMap<string, string>;
}

/**
 * Surrounds the phrases of a task by a loop over all phones, which wins wherever speech is likelier to
 * be anything else.
 *
 * @param phones those of the language.
 * @param language primary: `en`, `fr`.
 * @throws CodedError `recognizer_refused` for a task without phrases, `phrase_unpronounceable` for a
 * phrase without words, `phrase_grammar_invalid` for JSGF that has no public rule or uses our names.
 */
export function buildPhraseGrammar(
  task: RecognizerTask & { kind: 'phrases' },
  phones: readonly string[],
  language: string,
): PhraseGrammar {
  const words = new Map<string, string>();
  const canonical = new Map<string, string>();
  const alternatives: string[] = [];
  const user = task.jsgf === null ? undefined : readUserGrammar(task.jsgf, words);
  task.phrases.forEach((phrase, index) => {
    const key = wordsOf(phrase, index, language, words);
    if (canonical.has(key)) return;
    canonical.set(key, phrase);
    alternatives.push(key);
  });
  for (const rule of user?.publicRules ?? []) alternatives.push(`<${rule}>`);
  if (alternatives.length === 0) {
    throw new CodedError(
      'recognizer_refused',
      'phrases need a phrase or a grammar, there is neither',
    );
  }
  const jsgf = [
    ...header(phones),
    ...(user === undefined ? [] : [user.rules]),
    `<${PHRASE_RULE}> = ${alternatives.join(' | ')};`,
    // Something between two phrases, if only a moment, so that it is known where one ends.
    `public <${TOP_RULE}> = <${FILLER_RULE}>* (<${PHRASE_RULE}> <${FILLER_RULE}>+)* [<${PHRASE_RULE}>];`,
  ];
  return { jsgf: jsgf.join('\n'), topRule: TOP, words, canonical };
}

function header(phones: readonly string[]): readonly string[] {
  const fillers = [PAUSE_WORD, ...phones.map((phone) => `${FILLER_PREFIX}${phone}`)];
  return ['#JSGF V1.0;', `grammar ${GRAMMAR_NAME};`, `<${FILLER_RULE}> = ${fillers.join(' | ')};`];
}

/** The words of a phrase, as the dictionary has them, with single spaces. */
function wordsOf(
  phrase: string,
  index: number,
  language: string,
  words: Map<string, string>,
): string {
  const found = normalizeWords(phrase, language);
  if (found.length === 0) {
    throw new CodedError(
      'phrase_unpronounceable',
      `phrases must hold words, phrase ${index + 1} holds none`,
      { fix: 'Write it in letters, for example "three" for 3.' },
    );
  }
  found.forEach((word, at) => {
    if (!words.has(word)) words.set(word, `word ${at + 1} of phrase ${index + 1}`);
  });
  return found.join(' ');
}

/** French words that lose their vowel: the dictionary has `l'` and `heure`, not `l'heure`. */
const ELISION =
  /(?<![\p{L}\p{M}\p{N}'])((?:[cdjlmnst]|(?:jus|lors|puis|quoi)?qu)')(?=[\p{L}\p{N}])/gu;

/** Lower case, without punctuation; apostrophes stay. */
function normalizeWords(phrase: string, language: string): readonly string[] {
  const lower = phrase.normalize('NFC').toLowerCase().replaceAll('\u2019', "'");
  return (language === 'fr' ? lower.replace(ELISION, '$1 ') : lower)
    .split(/[^\p{L}\p{M}\p{N}']+/u)
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
}

interface UserGrammar {
  readonly rules: string;
  readonly publicRules: readonly string[];
}

/** Takes the rules out of a grammar of the user's; what is wrong within them the decoder finds. */
function readUserGrammar(jsgf: string, words: Map<string, string>): UserGrammar {
  const body = jsgf
    .replace(/^\uFEFF?\s*#JSGF[^;]*;/, '')
    .replace(/\/\*[\s\S]*?\*\//g, ' ')
    .replace(/\/\/[^\n]*/g, ' ')
    .replace(/\{[^}]*\}/g, ' ')
    .replace(/(^|;)\s*grammar\s+[^;]*;/, '$1');
  if (/(^|;)\s*import\s/.test(body)) throw invalidGrammar('must not import others');
  if (/<[^>]*(earshot_|\.)[^>]*>/.test(body)) {
    throw invalidGrammar('must not name rules with a dot or by earshot_');
  }
  const publicRules = [...body.matchAll(/(?:^|;)\s*public\s+<([^<>\s]+)>\s*=/g)].flatMap(
    (match) => match[1] ?? [],
  );
  if (publicRules.length === 0) throw invalidGrammar('must have a public rule');
  const lower = body.replace(/(<[^>]*>)|([^<]+)/g, (_, rule?: string, rest?: string) =>
    rule === undefined ? (rest ?? '').toLowerCase() : rule,
  );
  let count = 0;
  const tokens = lower
    .replace(/(^|;)\s*(public\s+)?<[^>]*>\s*=/g, '$1 ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\/[^/]*\//g, ' ');
  for (const token of tokens.split(/[\s|;()[\]*+]+/)) {
    if (token === '') continue;
    count += 1;
    if (!words.has(token)) words.set(token, `word ${count} of the grammar`);
  }
  // Of ours alone is public, so that there is one top.
  return { rules: lower.replace(/(^|;)(\s*)public\s+</g, '$1$2<'), publicRules };
}

function invalidGrammar(rule: string): CodedError {
  return new CodedError('phrase_grammar_invalid', `a JSGF grammar ${rule}`);
}
