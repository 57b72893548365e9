import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `earshot …` to its end. */
export function runEarshot(...args: string[]): Promise<Outcome> {
  return runEarshotWith({}, ...args);
}

/** The same with something on its standard input, or more in its environment. */
export async function runEarshotWith(
  { input, env = {} }: { readonly input?: Uint8Array; readonly env?: Record<string, string> },
  ...args: string[]
): Promise<Outcome> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } });
  // Who does not read it may end before all was written.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}
