import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';

/** Whether processes can be pinned here: two cores and `taskset`. */
export function canPin(): boolean {
  return os.availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0;
}

/** Has all threads of this process, and the processes it starts from now on, run on these cores. */
export function pinSelf(cores: string): void {
  spawnSync('taskset', ['-a', '-c', '-p', cores, String(process.pid)]);
}

/** The cores this process may use, as `pinSelf` takes them. */
export function ownCores(): string {
  const { stdout } = spawnSync('taskset', ['-c', '-p', String(process.pid)], { encoding: 'utf8' });
  return stdout.slice(stdout.lastIndexOf(':') + 1).trim();
}

/**
 * Time that a core was not idle since the start of the machine, ms: all processes together, and what
 * the hypervisor gave to others.
 */
export function coreBusyMs(core: number): number {
  const line = readFileSync('/proc/stat', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`cpu${core} `));
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (line ?? '')
    .split(' ')
    .slice(1)
    .map(Number);
  // In hundredths of a second, whatever the kernel's own tick.
  return (user + nice + system + irq + softirq + steal) * 10;
}
