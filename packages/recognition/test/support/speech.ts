import type {
  RecognizerFault,
  RecognizerResult,
  RecognizerSessionOptions,
} from '../../src/index.js';

const SAMPLES_PER_MS = 16;

/** Sound that no recognizer understands. */
export function soundOf(durationMs: number): Int16Array {
  const pcm = new Int16Array(durationMs * SAMPLES_PER_MS);
  for (let index = 0; index < pcm.length; index += 1) pcm[index] = ((index * 7919) % 2000) - 1000;
  return pcm;
}

export interface Heard {
  readonly results: RecognizerResult[];
  readonly faults: RecognizerFault[];
  readonly options: RecognizerSessionOptions;
  /** Resolves when `until` holds. */
  wait(until: () => boolean): Promise<void>;
}

/** What a session tells. */
export function listenFor(options: Partial<RecognizerSessionOptions> = {}): Heard {
  const results: RecognizerResult[] = [];
  const faults: RecognizerFault[] = [];
  let waiting: { until: () => boolean; resolve: () => void }[] = [];
  const look = (): void => {
    const met = waiting.filter(({ until }) => until());
    waiting = waiting.filter((each) => !met.includes(each));
    for (const { resolve } of met) resolve();
  };
  return {
    results,
    faults,
    wait: (until) =>
      until() ? Promise.resolve() : new Promise((resolve) => waiting.push({ until, resolve })),
    options: {
      task: { kind: 'dictation', partials: true },
      language: 'en-US',
      startMs: 10_000,
      endpointMs: 800,
      onResult: (result) => {
        results.push(result);
        look();
      },
      onFault: (fault) => {
        faults.push(fault);
        look();
      },
      ...options,
    },
  };
}

/** Text of the finals in order. */
export function finals({ results }: Heard): string[] {
  return results.flatMap((result) => (result.kind === 'final' ? [result.text] : []));
}
