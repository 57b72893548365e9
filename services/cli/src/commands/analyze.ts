import { CodedError } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import type { OtherToneKind } from '@earshot/listening';
import { OTHER_TONE_KINDS } from '@earshot/listening';
import { createOpusEngine } from '@earshot/opus';
import { Analyzer } from '../analyze/analyzer.js';
import { analysisTable } from '../analyze/file-analysis.js';
import { Progress } from '../analyze/progress.js';

export interface AnalyzeOptions {
  /** One line of JSON a file; otherwise lines to be read. */
  readonly json: boolean;
  /** Told besides digits. */
  readonly tones: readonly OtherToneKind[];
}

/**
 * `earshot analyze <file>…`: what is heard in sound files, by the pipeline that hears calls. A file
 * that can't be read is told on standard error, and the others are read; the exit code is 1 then.
 */
export async function analyze(files: readonly string[], options: AnalyzeOptions): Promise<void> {
  const analyzer = new Analyzer(await createOpusEngine(), options.tones);
  const progress = new Progress(files.length, () => systemClock.nowMs());
  const reader = new Reader();
  for (const file of files) {
    if (reader.isGone) break;
    try {
      const analysis = await analyzer.analyze(file);
      await reader.write(options.json ? JSON.stringify(analysis) : analysisTable(analysis));
      progress.done(analysis.durationMs);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      progress.failed(`earshot: ${error.message} [${error.code}]`);
      process.exitCode = 1;
    }
  }
  progress.end();
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
