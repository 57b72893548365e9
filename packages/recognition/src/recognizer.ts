/** Rate of the PCM that recognizers are given, Hz. */
export const RECOGNIZER_SAMPLE_RATE_HZ = 16_000;

/** One recognizer program, model or vendor; gives a session for each stream that is listened to. */
export interface Recognizer {
  /** Stable, as in settings and events: `soundswallower`, `sherpa-onnx`, `azure-speech`, … */
  readonly name: string;
  readonly capabilities: RecognizerCapabilities;
  /**
   * Most time from the end of an utterance to the last of its finals, ms: after it the session has
   * failed by itself. Absent where nothing is promised.
   */
  readonly maxResultsMs?: number;
  /** Most time that `open` takes, ms: after it it has rejected. Absent where nothing is promised. */
  readonly maxOpenMs?: number;
  /**
   * Begins to listen to a stream.
   *
   * @throws CodedError (rejects) `recognizer_unavailable` when there is no reaching it or it lacks its
   * model, `recognizer_refused` when it won't have this task or our credentials, `recognizer_unsuitable`
   * when it won't have these options, `language_unsupported`.
   */
  open(options: RecognizerSessionOptions): Promise<RecognizerSession>;
  /** Ends all sessions without results, and frees what is held. Idempotent. */
  close(): Promise<void>;
}

export interface RecognizerCapabilities {
  /** What it can be asked for. */
  readonly tasks: readonly RecognizerTask['kind'][];
  readonly partials: boolean;
  readonly wordTimes: boolean;
  readonly confidence: boolean;
  /** BCP 47 tags or primary languages; `any` for what is not known here. */
  readonly languages: readonly string[] | 'any';
  /** Where it computes: `local` ones cost our CPU, `remote` ones a connection. */
  readonly runs: 'local' | 'remote';
}

/** What a session is to find. */
export type RecognizerTask =
  | {
      readonly kind: 'phrases';
      /** Plain words. */
      readonly phrases: readonly string[];
      readonly jsgf: string | null;
    }
  | { readonly kind: 'dictation'; readonly partials: boolean };

export interface RecognizerSessionOptions {
  readonly task: RecognizerTask;
  /** BCP 47. */
  readonly language: string;
  /** Media time of the first sample that will be pushed, ms. */
  readonly startMs: number;
  /** For recognizers that find the ends of utterances by themselves: the pause that makes one, ms. */
  readonly endpointMs: number;
  /** Takes results in order of media time; must not throw. Not called after `close` has resolved. */
  onResult(result: RecognizerResult): void;
  /**
   * The session failed and gives nothing more: what it was given since the last final is not
   * recognized. Called once at most.
   */
  onFault(fault: RecognizerFault): void;
}

/**
 * One stream being recognized. Sound is pushed in order of media time, an utterance at a time:
 *
 * ```
 * push push push … endUtterance()   restart(ms) push push … endUtterance()   close()
 * ```
 *
 * Calls never throw for what a vendor does; that is `onFault`.
 */
export interface RecognizerSession {
  /**
   * The next samples: PCM16 mono at `RECOGNIZER_SAMPLE_RATE_HZ`, any number of them. Borrowed for the
   * call. Never blocks for long: what can't be taken at once is copied and waits.
   */
  push(pcm: Int16Array): void;
  /** So much sound is missing here; what follows is so much later. */
  gap(durationMs: number): void;
  /** Sound that was pushed and not yet worked on, ms: what it lags behind. */
  readonly backlogMs: number;
  /** The speaker paused: resolves when the finals of all that was pushed were given, or it failed. */
  endUtterance(): Promise<void>;
  /** Forgets what was pushed since the last final; the next sample is of this media time. */
  restart(mediaTimeMs: number): void;
  /** Ends the session. What was not ended by `endUtterance` gives no result. Idempotent. */
  close(): Promise<void>;
}

export interface RecognizedWord {
  readonly text: string;
  /** Media time, ms. */
  readonly startMs: number;
  readonly endMs: number;
  /** 0 to 1; null when the recognizer has none. */
  readonly confidence: number | null;
}

interface ResultShared {
  /** `name` of the recognizer that gave it; behind a fail-over, of the one that spoke. */
  readonly engine: string;
  /** As the recognizer writes it; empty for a final means that nothing was understood. */
  readonly text: string;
  /** Of the words; without word times, of the utterance. Media time, ms. */
  readonly startMs: number;
  readonly endMs: number;
  /** Empty when the recognizer gives no word times. */
  readonly words: readonly RecognizedWord[];
  /** 0 to 1; null when the recognizer has none. */
  readonly confidence: number | null;
  /** BCP 47; what was spoken, where the recognizer finds out, otherwise what was asked for. */
  readonly language: string;
}

export type RecognizerResult =
  /** May be replaced by the next partial, or by the final. */
  | ({ readonly kind: 'partial' } & ResultShared)
  | ({ readonly kind: 'final' } & ResultShared)
  /** One of the phrases asked for was spoken. */
  | ({ readonly kind: 'phrase' } & ResultShared);

export interface RecognizerFault {
  /**
   * Stable: `recognizer_unavailable`, `recognizer_refused`, `recognizer_unsuitable`,
   * `recognizer_protocol`, `recognizer_slow`, `recognizer_proxy_refused`,
   * `recognizer_proxy_unavailable`, …
   */
  readonly code: string;
  /** For people; holds nothing that was said. */
  readonly message: string;
  /** Whether another try, after a while, may work. */
  readonly retryable: boolean;
}
