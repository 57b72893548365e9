// The process that is measured: the service as it is, but for where its tokens come from.
import process from 'node:process';
import { readConfig, startSignaling } from '@earshot/signaling';
import type { ServiceCommand, ServiceReport } from './messages.js';

process.on('message', (command: ServiceCommand) => void take(command));
process.on('disconnect', () => process.exit(0));

async function take(command: ServiceCommand): Promise<void> {
  if (command.kind === 'cpu') {
    const { user, system } = process.cpuUsage();
    return tell({ kind: 'cpu', micros: user + system });
  }
  const { url, hostLinkUrl } = await startSignaling(readConfig(command.environment), {
    tokens: { token: async () => 'token-of-the-bench' },
  });
  tell({ kind: 'ready', url, hostLinkUrl });
}

function tell(report: ServiceReport): void {
  process.send?.(report);
}
