import { readFile } from 'node:fs/promises';
import { CodedError } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import type { OtherToneKind, PhraseSettings } from '@earshot/listening';
import { OTHER_TONE_KINDS, parseListeningSettings } from '@earshot/listening';
import { createOpusEngine } from '@earshot/opus';
import type { Channels } from '../analyze/analyzer.js';
import { Analyzer } from '../analyze/analyzer.js';
import { analysisTable } from '../analyze/file-analysis.js';
import { PhraseListener } from '../analyze/phrase-listener.js';
import { Progress } from '../analyze/progress.js';

export interface AnalyzeOptions {
  /** One line of JSON a file, or a channel of it; otherwise lines to be read. */
  readonly json: boolean;
  readonly channels: Channels;
  /** Told besides digits. */
  readonly tones: readonly OtherToneKind[];
  /** To be told from all other speech. */
  readonly phrase: readonly string[];
  /** A file with a JSGF grammar, whose sentences are phrases too. */
  readonly grammar?: string;
  /** BCP 47, of the phrases. */
  readonly language: string;
}

/**
 * `earshot analyze <file>…`: what is heard in sound files, by the pipeline that hears calls. A file
 * that can't be read is told on standard error, and the others are read; the exit code is 1 then.
 */
export async function analyze(files: readonly string[], options: AnalyzeOptions): Promise<void> {
  const settings = await phraseSettings(options);
  const phrases = settings === null ? undefined : await PhraseListener.start(settings);
  try {
    const { tones } = options;
    const progress = new Progress(files.length, () => systemClock.nowMs());
    const onHeard = (soundMs: number): void => progress.heard(soundMs);
    const analyzer = new Analyzer(await createOpusEngine(), { tones, phrases, onHeard });
    await analyzeAll(analyzer, files, options, progress);
  } finally {
    await phrases?.close();
  }
}

async function analyzeAll(
  analyzer: Analyzer,
  files: readonly string[],
  { json, channels }: AnalyzeOptions,
  progress: Progress,
): Promise<void> {
  const reader = new Reader();
  for (const file of files) {
    if (reader.isGone) break;
    try {
      for (const analysis of await analyzer.analyze(file, channels)) {
        progress.clear();
        await reader.write(json ? JSON.stringify(analysis) : analysisTable(analysis));
        progress.done(analysis.durationMs);
      }
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      progress.failed(`earshot: ${error.message} [${error.code}]`);
      if (error.fix !== undefined) process.stderr.write(`earshot: ${error.fix}\n`);
      process.exitCode = 1;
    }
    progress.next();
  }
  progress.end();
}

async function phraseSettings(options: AnalyzeOptions): Promise<PhraseSettings | null> {
  const { phrase: phrases, grammar, language } = options;
  if (phrases.length === 0 && grammar === undefined) return null;
  const jsgf = grammar === undefined ? null : await readGrammar(grammar);
  const settings = parseListeningSettings({ phrases: { phrases, jsgf, language } })?.phrases;
  if (settings !== undefined && settings !== null) return settings;
  const lengths = phrases.map(({ length }) => length);
  const range =
    lengths.length === 0 ? '' : ` of ${Math.min(...lengths)} to ${Math.max(...lengths)}`;
  throw new CodedError(
    'invalid_phrases',
    `Cannot look for phrases: there must be at most 200 of 1 to 100 characters, at most 16,384 characters of grammar and a language of 2 to 35, got ${phrases.length}${range}, ${jsgf?.length ?? 0} of grammar and ${JSON.stringify(language)}`,
  );
}

async function readGrammar(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CodedError(
      'grammar_unreadable',
      `Cannot look for phrases: ${path} must be a readable file, got ${reason}`,
      { cause },
    );
  }
}

/** Kinds with commas between, or `all`; undefined for anything else. */
export function parseToneKinds(text: string): readonly OtherToneKind[] | undefined {
  if (text === 'all') return OTHER_TONE_KINDS;
  const kinds = text.split(',').map((name) => OTHER_TONE_KINDS.find((kind) => kind === name));
  return kinds.every((kind) => kind !== undefined) ? kinds : undefined;
}

/** Who reads standard output: is waited for, and may go. */
class Reader {
  isGone = false;

  constructor() {
    process.stdout.on('error', () => {
      this.isGone = true;
    });
  }

  write(line: string): Promise<void> {
    return new Promise((resolve) => process.stdout.write(`${line}\n`, () => resolve()));
  }
}
