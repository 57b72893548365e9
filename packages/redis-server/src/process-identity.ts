import { readFileSync } from 'node:fs';
import process from 'node:process';

/**
 * A process id with its start time, since ids are used again, above all in containers; empty
 * when no such process runs. One that has ended counts as such even if nobody has taken notice
 * of its end, as happens in containers without an init process.
 */
export function processIdentity(pid: number): string {
  if (!isKnown(pid)) return '';
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The program's name, in brackets, may hold anything. Then: state, …, start time (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? '' : `${pid} ${fields[19]}`;
  } catch {
    // Not Linux, or just gone.
    return isKnown(pid) ? `${pid} unknown` : '';
  }
}

function isKnown(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
