import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import type { ProxySettings } from '@earshot/proxy';
import { NO_PROXIES, proxyRoutes } from '@earshot/proxy';
import type { Recognizer, RecognizerSession, RecognizerSessionOptions } from '../recognizer.js';
import { closedError, errorOfFault } from '../vendor-fault.js';
import type { StreamDialect } from './stream-dialect.js';
import type { StreamingLimits } from './streaming-limits.js';
import { DEFAULT_STREAMING_LIMITS } from './streaming-limits.js';
import { StreamingSession } from './streaming-session.js';

export interface StreamingOptions {
  readonly limits?: Partial<StreamingLimits>;
  /** None by default. */
  readonly proxies?: ProxySettings | undefined;
  readonly clock?: Clock;
  random?(): number;
}

/** Dictation by a vendor that is spoken to by WebSocket. */
export function streamingRecognizer(dialect: StreamDialect, options: StreamingOptions): Recognizer {
  const { clock = systemClock, random = Math.random, proxies = NO_PROXIES } = options;
  const proxyFor = proxyRoutes(proxies);
  const limits = { ...DEFAULT_STREAMING_LIMITS, ...options.limits };
  const sessions = new Set<StreamingSession>();

  let isClosed = false;

  async function open(session: RecognizerSessionOptions): Promise<RecognizerSession> {
    if (isClosed) throw closedError(dialect.engine);
    if (session.task.kind !== 'dictation') {
      const rule = `Cannot recognize with ${dialect.engine}: the task must be dictation`;
      throw new CodedError('recognizer_refused', rule);
    }
    const closed = (): void => {
      sessions.delete(opened);
    };
    const own = { dialect, session, limits, proxyFor, clock, random, closed };
    const opened = new StreamingSession(own);
    sessions.add(opened);
    const fault = await opened.connect();
    if (fault === undefined) return opened;
    await opened.close();
    throw errorOfFault(fault);
  }

  return {
    name: dialect.engine,
    capabilities: {
      tasks: ['dictation'],
      partials: true,
      wordTimes: true,
      confidence: true,
      languages: 'any',
      runs: 'remote',
    },
    open,
    async close() {
      isClosed = true;
      await Promise.all(Array.from(sessions, (session) => session.close()));
    },
  };
}
