import { randomUUID } from 'node:crypto';
import type { Cancel, Clock } from '@earshot/async';
import type { ResultInfo } from '@earshot/call';
import { resultBody } from './call-results.js';
import type { Notification } from './notifications.js';
import { operationNotification } from './notifications.js';

/** Operations of one call that may be running. */
const MAX_RUNNING = 100;

/** An operation as Graph writes it: `microsoft.graph.commsOperation` and its kinds. */
export interface GraphOperation {
  readonly id: string;
  readonly [property: string]: unknown;
}

/** What begins an operation. */
export interface OperationStart {
  /** Without `microsoft.graph.`, such as `playPromptOperation`. */
  readonly type: string;
  readonly clientContext: string | null;
  /** Properties of its kind. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** An operation whose end is told by a notification. */
export interface RunningStart extends OperationStart {
  readonly takesMs: number;
  /** A scenario's; 200/0 when it goes well. */
  readonly failure?: ResultInfo | undefined;
  /** It went well: properties to be added to its last state. */
  onDone?(): Readonly<Record<string, unknown>> | undefined;
}

interface Running {
  readonly operation: GraphOperation;
  readonly type: string;
  readonly cancel: Cancel;
}

const SUCCESS: ResultInfo = { code: 200, subcode: 0 };

/**
 * One call's operations. What completes at once is not notified of; what runs is told by one
 * `deleted` notification (Graph: commsOperation).
 */
export class CallOperations {
  readonly #clock: Clock;
  readonly #callId: string;
  readonly #notify: (notification: Notification) => void;
  readonly #running = new Map<string, Running>();

  constructor(clock: Clock, callId: string, notify: (notification: Notification) => void) {
    this.#clock = clock;
    this.#callId = callId;
    this.#notify = notify;
  }

  /** One that is over with the answer. */
  complete(start: OperationStart, failure?: ResultInfo): GraphOperation {
    const { status, resultInfo } = endOf(failure ?? SUCCESS);
    return { ...bodyOf(start), status, resultInfo: failure === undefined ? null : resultInfo };
  }

  /** One whose end is told later. The oldest is dropped without a word when there are too many. */
  run(start: RunningStart): GraphOperation {
    const operation = { ...bodyOf(start), status: 'running', resultInfo: null };
    const cancel = this.#clock.at(this.#clock.nowMs() + start.takesMs, () => {
      const more = start.failure === undefined ? start.onDone?.() : undefined;
      this.#finish(operation.id, start.failure ?? SUCCESS, more);
    });
    this.#running.set(operation.id, { operation, type: start.type, cancel });
    const [oldest] = this.#running.keys();
    if (this.#running.size > MAX_RUNNING && oldest !== undefined) {
      this.#running.get(oldest)?.cancel();
      this.#running.delete(oldest);
    }
    return operation;
  }

  /** Whether one of these types is running. */
  isRunning(types: ReadonlySet<string>): boolean {
    return [...this.#running.values()].some(({ type }) => types.has(type));
  }

  /** Ends those of these types with a result. */
  cancel(types: ReadonlySet<string>, result: ResultInfo): void {
    for (const { operation, type } of [...this.#running.values()]) {
      if (types.has(type)) this.#finish(operation.id, result);
    }
  }

  /** The call is over: nothing more is told. */
  drop(): void {
    for (const { cancel } of this.#running.values()) cancel();
    this.#running.clear();
  }

  #finish(id: string, result: ResultInfo, more: Readonly<Record<string, unknown>> = {}): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    running.cancel();
    this.#running.delete(id);
    const last = { ...running.operation, ...endOf(result), ...more };
    this.#notify(operationNotification(this.#callId, last));
  }
}

function bodyOf({ type, clientContext, extra }: OperationStart): GraphOperation {
  return {
    '@odata.type': `#microsoft.graph.${type}`,
    id: randomUUID(),
    clientContext,
    ...extra,
  };
}

function endOf(result: ResultInfo): { status: string; resultInfo: Record<string, unknown> } {
  const isGood = result.code < 400;
  return { status: isGood ? 'completed' : 'failed', resultInfo: resultBody(result) };
}
