// The process that plays media hosts: links whose frames are due every 20 ms, each at its own moment.
import process from 'node:process';
import { LoadLink } from './load-link.js';
import type { LoadCommand, LoadReport } from './messages.js';
import { monotonicMs } from './monotonic.js';

const links: LoadLink[] = [];
let track: readonly Uint8Array[] = [];

process.on('message', (command: LoadCommand) => void take(command));
process.on('disconnect', () => process.exit(0));

async function take(command: LoadCommand): Promise<void> {
  switch (command.kind) {
    case 'start':
      track = command.track;
      tick();
      tell({ kind: 'ready' });
      return;
    case 'link': {
      const link = new LoadLink(command.link, track);
      await link.connect();
      links.push(link);
      tell({ kind: 'linked' });
      return;
    }
    case 'tell':
      tell({ kind: 'sent', links: links.map((link) => link.sent()) });
      return;
  }
}

/** Sends what is due. Timers are good to a millisecond, as those of real hosts. */
function tick(): void {
  const nowMs = monotonicMs();
  for (const link of links) while (link.dueMs <= nowMs) link.sendFrames();
  setTimeout(tick, 1);
}

function tell(report: LoadReport): void {
  process.send?.(report);
}
