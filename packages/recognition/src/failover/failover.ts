import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import type {
  Recognizer,
  RecognizerCapabilities,
  RecognizerSession,
  RecognizerSessionOptions,
} from '../recognizer.js';
import { closedError } from '../vendor-fault.js';
import type { BreakerOptions, BreakerState } from './breaker.js';
import { DEFAULT_BREAKER } from './breaker.js';
import type { FailoverLimits, FailoverSwitch } from './failover-session.js';
import { FailoverSession } from './failover-session.js';
import { RecognizerGroup } from './recognizer-group.js';

const NAME = 'failover';

const NO_PHRASES = `Cannot recognize with ${NAME}: the task must be dictation`;

const DEFAULT_LIMITS: FailoverLimits = {
  openMs: 6000,
  finalMs: 12_000,
  maxBacklogMs: 30_000,
  maxUtteranceMs: 75_000,
};

export interface FailoverOptions {
  /** In the order in which they are wanted; at least one. */
  readonly recognizers: readonly Recognizer[];
  readonly limits?: Partial<FailoverLimits>;
  readonly breaker?: Partial<BreakerOptions>;
  readonly clock?: Clock;
  /** Told of each change from one recognizer to another. */
  onSwitch?(change: FailoverSwitch): void;
}

/** What a fail-over promises. */
export type FailoverTimes = Required<Pick<Recognizer, 'maxOpenMs' | 'maxResultsMs'>>;

/** How long a fail-over of so many recognizers may take: each of them may be as slow as can be. */
export function failoverTimes(
  recognizers: number,
  { openMs, finalMs }: Pick<FailoverLimits, 'openMs' | 'finalMs'> = DEFAULT_LIMITS,
): FailoverTimes {
  return { maxOpenMs: recognizers * openMs, maxResultsMs: recognizers * (openMs + finalMs) };
}

export interface FailoverRecognizer extends Recognizer {
  /** How each is doing: `open` ones are left alone for a while after failures. */
  states(): readonly { readonly engine: string; readonly state: BreakerState['kind'] }[];
}

/**
 * Several recognizers as one, for dictation: an utterance with which one fails, or for which it takes too long, is
 * given to the next. One that fails repeatedly is left alone, for longer each time, in all sessions.
 *
 * @throws CodedError `no_recognizers`.
 */
export function createFailover(options: FailoverOptions): FailoverRecognizer {
  const { recognizers, clock = systemClock } = options;
  if (recognizers.length === 0) {
    const rule = 'Cannot recognize by fail-over: there must be at least one recognizer, got 0';
    throw new CodedError('no_recognizers', rule);
  }
  const group = new RecognizerGroup(recognizers, clock, { ...DEFAULT_BREAKER, ...options.breaker });
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const sessions = new Set<FailoverSession>();

  let isClosed = false;

  async function open(session: RecognizerSessionOptions): Promise<RecognizerSession> {
    if (isClosed) throw closedError(NAME);
    if (session.task.kind !== 'dictation') throw new CodedError('recognizer_refused', NO_PHRASES);
    const opened = new FailoverSession({
      group,
      session,
      limits,
      clock,
      switched: (change) => options.onSwitch?.(change),
      closed: () => sessions.delete(opened),
    });
    sessions.add(opened);
    try {
      await opened.connect();
    } catch (error) {
      await opened.close();
      throw error;
    }
    return opened;
  }

  return {
    name: NAME,
    capabilities: capabilitiesOf(recognizers),
    ...failoverTimes(recognizers.length, limits),
    open,
    async close() {
      isClosed = true;
      await Promise.all(Array.from(sessions, (session) => session.close()));
      await Promise.all(recognizers.map((recognizer) => recognizer.close()));
    },
    states: () =>
      group.members.map(({ recognizer, state }) => ({
        engine: recognizer.name,
        state: state.kind,
      })),
  };
}

/** What any of them can do, and what all of them give. */
function capabilitiesOf(recognizers: readonly Recognizer[]): RecognizerCapabilities {
  const all = recognizers.map(({ capabilities }) => capabilities);
  const languages = all.map((each) => each.languages);
  return {
    tasks: ['dictation'],
    partials: all.some(({ partials }) => partials),
    wordTimes: all.every(({ wordTimes }) => wordTimes),
    confidence: all.every(({ confidence }) => confidence),
    languages: languages.includes('any') ? 'any' : [...new Set(languages.flat())],
    runs: all.every(({ runs }) => runs === 'remote') ? 'remote' : 'local',
  };
}
