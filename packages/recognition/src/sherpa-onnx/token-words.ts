/** A word of the model's tokens; times are from the first sample, ms. */
export interface TokenWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly confidence: number | null;
}

/** A token tells when it begins; the last one of a word is taken to be no longer than this. */
const TOKEN_MS = 240;

/** Begin of a word: of SentencePiece, or a plain space. */
const WORD_BEGIN = /^[\u2581 ]/;

interface Draft {
  text: string;
  startMs: number;
  lastMs: number;
  logProbs: number[];
}

/**
 * Puts the model's tokens together to words. Where no token says that it begins a word, as with models
 * of languages that write no spaces, each token is one.
 *
 * @param timestamps begin of each token, s.
 * @param logProbs natural logarithm of how likely each token is; may be empty.
 * @param endMs end of the sound.
 */
export function wordsOfTokens(
  tokens: readonly string[],
  timestamps: readonly number[],
  logProbs: readonly number[],
  endMs: number,
): TokenWord[] {
  const hasBegins = tokens.some((token) => WORD_BEGIN.test(token));
  const drafts: Draft[] = [];
  for (const [index, token] of tokens.entries()) {
    const previous = drafts.at(-1);
    const atMs = Math.min(endMs, Math.max((timestamps[index] ?? 0) * 1000, previous?.lastMs ?? 0));
    const text = token.replace(WORD_BEGIN, '');
    const logProb = logProbs[index];
    const isBegin = previous === undefined || !hasBegins || WORD_BEGIN.test(token);
    const draft = isBegin ? { text: '', startMs: atMs, lastMs: atMs, logProbs: [] } : previous;
    if (isBegin) drafts.push(draft);
    draft.text += text;
    draft.lastMs = atMs;
    if (logProb !== undefined) draft.logProbs.push(logProb);
  }
  return drafts
    .map((draft, index) => ({
      text: draft.text,
      startMs: draft.startMs,
      endMs: Math.min(draft.lastMs + TOKEN_MS, drafts[index + 1]?.startMs ?? endMs),
      confidence: confidenceOf(draft.logProbs),
    }))
    .filter(({ text }) => text.trim() !== '');
}

function confidenceOf(logProbs: readonly number[]): number | null {
  if (logProbs.length === 0) return null;
  const mean = logProbs.reduce((sum, each) => sum + each, 0) / logProbs.length;
  return Math.min(1, Math.max(0, Math.exp(mean)));
}
