import { createRequire } from 'node:module';
import path from 'node:path';

/** One entry of an alignment: a word, with its phones in `w`. */
export interface AlignedSegment {
  /** The word; alternative pronunciations end in `(2)`, `(3)`, … */
  readonly t: string;
  /** Begin and duration, s. */
  readonly b: number;
  readonly d: number;
  /** Acoustic score as a small power: see `lossOf`. */
  readonly p: number;
  readonly w?: readonly AlignedSegment[];
}

/** What we use of `soundswallower`'s decoder. */
export interface Decoder {
  initialize(): Promise<unknown>;
  delete(): void;
  start(): void;
  stop(): void;
  process_audio(pcm: Float32Array, noSearch: boolean, fullUtterance: boolean): number;
  get_alignment(options: { align_level: number }): AlignedSegment;
  lookup_word(word: string): string | null;
  add_words(...words: readonly (readonly [string, string])[]): void;
  set_grammar(jsgf: string, topRule: string): void;
}

export interface SoundSwallowerModule {
  readonly Decoder: new (config: Readonly<Record<string, string | number>>) => Decoder;
}

type CreateModule = (options: {
  readonly modelBase: string;
  print(line: string): void;
  printErr(line: string): void;
}) => Promise<SoundSwallowerModule>;

/** The folder of the models that come with the program. */
export function modelFolder(): string {
  return path.join(path.dirname(programFile()), 'model');
}

/** Loads the program once more, with memory of its own. It prints nothing. */
export async function loadModule(): Promise<SoundSwallowerModule> {
  const { default: createModule }: { default: CreateModule } = await import(programFile());
  const before = new Set(process.listeners('uncaughtException'));
  const loaded = createModule({ modelBase: modelFolder(), print: () => {}, printErr: () => {} });
  // It takes errors of the whole process to itself, only to throw them again.
  for (const listener of process.listeners('uncaughtException')) {
    if (!before.has(listener)) process.removeListener('uncaughtException', listener);
  }
  return loaded;
}

function programFile(): string {
  return createRequire(import.meta.url).resolve('soundswallower');
}
