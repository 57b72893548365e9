import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import process from 'node:process';

/** A child process on a core of its own, with messages back and forth. */
export class BenchProcess<Command extends object, Report extends { readonly kind: string }> {
  readonly #child: ChildProcess;

  /**
   * @param entry file to run
   * @param core undefined: any
   * @param flags for `node`
   */
  constructor(
    entry: URL,
    core: number | undefined,
    environment: NodeJS.ProcessEnv = {},
    flags: readonly string[] = [],
  ) {
    const node = [process.execPath, ...flags, entry.pathname];
    const [command = '', ...args] =
      core === undefined ? node : ['taskset', '-c', String(core), ...node];
    this.#child = spawn(command, args, {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 2, 2, 'ipc'],
      // Packets go as bytes, not as JSON.
      serialization: 'advanced',
    });
  }

  send(command: Command): void {
    this.#child.send(command);
  }

  /** Sends a command and waits for the report that answers it. */
  async ask<Kind extends Report['kind']>(
    command: Command,
    kind: Kind,
  ): Promise<Extract<Report, { kind: Kind }>> {
    const child = this.#child;
    const answer = new Promise<Extract<Report, { kind: Kind }>>((resolve, reject) => {
      const onExit = (): void => reject(new Error('A process of the bench ended'));
      const onMessage = (report: Extract<Report, { kind: Kind }>): void => {
        if (report.kind !== kind) return;
        child.off('message', onMessage);
        child.off('exit', onExit);
        resolve(report);
      };
      child.on('message', onMessage);
      child.on('exit', onExit);
    });
    child.send(command);
    return await answer;
  }

  /** Ends it at once; resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await gone;
  }
}
