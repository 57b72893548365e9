import type {
  Recognizer,
  RecognizerFault,
  RecognizerResult,
  RecognizerSession,
  RecognizerTask,
} from '../recognizer.js';
import { RECOGNIZER_SAMPLE_RATE_HZ } from '../recognizer.js';

/** What a recognizer under test is made of. */
export interface RecognizerUnderTest {
  /** A fresh one for each check; it is closed after it. */
  create(): Recognizer | Promise<Recognizer>;
  readonly task: RecognizerTask;
  readonly language: string;
  /** Utterances of some seconds, 16 kHz; of each at least one phrase or one non-empty final comes. */
  readonly utterances: readonly [Int16Array, Int16Array];
  /**
   * A recognizer whose sessions fail when `break` is called, or when they are next given sound.
   * Without it that sessions fail as they should is not checked.
   */
  createBreakable?(): Promise<{ readonly recognizer: Recognizer; break(): void | Promise<void> }>;
}

/** A session with all it told. */
export interface Listening {
  readonly session: RecognizerSession;
  readonly results: RecognizerResult[];
  readonly faults: RecognizerFault[];
}

const ENDPOINT_MS = 800;

/** Opens a session that keeps what it tells. */
export async function listen(
  recognizer: Recognizer,
  { task, language }: Pick<RecognizerUnderTest, 'task' | 'language'>,
  startMs: number,
): Promise<Listening> {
  const results: RecognizerResult[] = [];
  const faults: RecognizerFault[] = [];
  const session = await recognizer.open({
    task,
    language,
    startMs,
    endpointMs: ENDPOINT_MS,
    onResult: (result) => results.push(result),
    onFault: (fault) => faults.push(fault),
  });
  return { session, results, faults };
}

/** Pushes sound in pieces of these sizes, over and over, each in memory that is used again. */
export function pushIn(
  session: RecognizerSession,
  pcm: Int16Array,
  sizes: readonly number[],
): void {
  const borrowed = new Int16Array(Math.max(...sizes));
  for (let from = 0, turn = 0; from < pcm.length; turn += 1) {
    const size = Math.min(sizes[turn % sizes.length] ?? pcm.length, pcm.length - from);
    borrowed.set(pcm.subarray(from, from + size));
    session.push(borrowed.subarray(0, size));
    borrowed.fill(0x7fff);
    from += size;
  }
}

/** What stands for good, with times from `originMs` on. */
export function settled(results: readonly RecognizerResult[], originMs: number): unknown[] {
  return results
    .filter(({ kind }) => kind !== 'partial')
    .map(({ startMs, endMs, words, ...rest }) => ({
      ...rest,
      startMs: fromOrigin(startMs, originMs),
      endMs: fromOrigin(endMs, originMs),
      words: words.map((word) => ({
        ...word,
        startMs: fromOrigin(word.startMs, originMs),
        endMs: fromOrigin(word.endMs, originMs),
      })),
    }));
}

/** Vendors count in seconds: a thousandth of a millisecond is no difference. */
function fromOrigin(ms: number, originMs: number): number {
  return Math.round((ms - originMs) * 1000) / 1000;
}

export function durationMs(pcm: Int16Array): number {
  return (pcm.length * 1000) / RECOGNIZER_SAMPLE_RATE_HZ;
}

/** Whether something was understood. */
export function isUnderstood({ kind, text }: RecognizerResult): boolean {
  return kind !== 'partial' && text !== '';
}
