import process from 'node:process';
import { CodedError } from '@earshot/async';

/** A service that runs. */
export interface RunningService {
  /** Stops; idempotent. */
  close(): Promise<void>;
  /** How long closing may take before the process is ended with 1. @defaultValue 5 000 */
  readonly closeDeadlineMs?: number;
}

export interface ServiceProcessOptions<Service extends RunningService> {
  /** Begins lines on standard error. */
  readonly name: string;
  /** Reads the environment and starts; what it throws is told in one line. */
  start(): Promise<Service>;
  /** What a parent with an IPC channel is told once the service runs. */
  ready(service: Service): Readonly<Record<string, unknown>>;
  /** A message from the parent; what it resolves with is answered, what it throws is told. */
  onMessage?(service: Service, message: unknown): Promise<Answer>;
}

/** An answer to the parent, or none. */
export type Answer = Readonly<Record<string, unknown>> | undefined;

const CLOSE_DEADLINE_MS = 5_000;

/**
 * Runs a service as this process: starts it, tells the parent `{type:'ready', …}` or
 * `{type:'failed', code, message}`, and closes it on SIGTERM, SIGINT or when the parent is gone.
 * Exit code 0 after an orderly end; 1 after a failure, with one line on standard error.
 */
export async function runService<Service extends RunningService>(
  options: ServiceProcessOptions<Service>,
): Promise<void> {
  const leaving = leaveRequested();
  let service: Service;
  try {
    service = await options.start();
  } catch (error) {
    await tellFailure(options.name, error);
    process.exit(1);
  }
  void leaving.then(() => close(service, options));
  listenToParent(service, options);
  tell({ type: 'ready', ...options.ready(service) });
}

/** Asked for from the first moment: a parent may go while the service starts. */
function leaveRequested(): Promise<void> {
  return new Promise((resolve) => {
    process.on('SIGTERM', () => resolve());
    process.on('SIGINT', () => resolve());
    if (process.send === undefined) return;
    process.on('disconnect', () => resolve());
    if (!process.connected) resolve();
  });
}

async function close<Service extends RunningService>(
  service: Service,
  { name }: ServiceProcessOptions<Service>,
): Promise<void> {
  const deadlineMs = service.closeDeadlineMs ?? CLOSE_DEADLINE_MS;
  setTimeout(() => process.exit(1), deadlineMs).unref();
  try {
    await service.close();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${name}: ${explain(error).message}\n`);
    process.exit(1);
  }
}

function listenToParent<Service extends RunningService>(
  service: Service,
  { onMessage }: ServiceProcessOptions<Service>,
): void {
  if (onMessage === undefined) return;
  process.on('message', (message) => {
    onMessage(service, message).then(
      (answer) => {
        if (answer !== undefined) tell(answer);
      },
      (error: unknown) => tell({ type: 'failed', ...explain(error) }),
    );
  });
}

/** Resolves when the parent has it: the process may end then. */
function tellFailure(name: string, error: unknown): Promise<void> {
  const { code, message } = explain(error);
  process.stderr.write(`${name}: ${message} [${code}]\n`);
  return tell({ type: 'failed', code, message });
}

function tell(message: Readonly<Record<string, unknown>>): Promise<void> {
  return new Promise((resolve) => {
    // A parent that is gone hears nothing; its going closes the service.
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, () => resolve());
  });
}

function explain(error: unknown): { code: string; message: string } {
  if (!(error instanceof CodedError)) {
    return {
      code: 'internal_error',
      message: error instanceof Error ? error.message : String(error),
    };
  }
  const fix = error.fix === undefined ? '' : ` ${error.fix}`;
  return { code: error.code, message: `${error.message}${fix}` };
}
