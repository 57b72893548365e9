import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly argv0?: string;
  /** The program is killed after this time, ms. @defaultValue 10 000 */
  readonly timeoutMs?: number;
}

export interface RunResult {
  /** -1 when the program could not be started or was killed. */
  readonly code: number;
  /** What it wrote, both streams. */
  readonly output: string;
  /** The last line that is not empty: as a rule the reason of a failure. */
  readonly lastLine: string;
}

/** Runs a short program without input; a failure is a result, not an exception. */
export function runText(
  file: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  const { timeoutMs = 10_000, ...rest } = options;
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      ...rest,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // Not spawn's own timeout: where the program does not exist, that keeps the process alive.
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    let output = '';
    const collect = (text: string) => {
      output += text;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve({ code: -1, output, lastLine: error.message });
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const lines = output.split('\n').filter((line) => line.trim() !== '');
      const lastLine = lines.at(-1)?.trim() ?? (signal === null ? `code ${code}` : signal);
      resolve({ code: code ?? -1, output, lastLine });
    });
  });
}
