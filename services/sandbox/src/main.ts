import type { Answer } from '@earshot/service-process';
import { runService } from '@earshot/service-process';
import { z } from 'zod';
import { readConfig } from './config.js';
import type { Sandbox } from './sandbox.js';
import { startSandbox } from './sandbox.js';

const connectHostSchema = z.object({
  type: z.literal('connectHost'),
  url: z.url({ protocol: /^wss?$/ }),
  token: z.string().min(1),
});

await runService({
  name: 'sandbox',
  start: async () => startSandbox(readConfig(process.env)),
  ready: ({ ready }) => ({ ...ready }),
  onMessage: connectHost,
});

/** Signaling starts after the sandbox: its address comes later. */
async function connectHost(sandbox: Sandbox, message: unknown): Promise<Answer> {
  const parsed = connectHostSchema.safeParse(message);
  if (!parsed.success) return undefined;
  const { hostId } = await sandbox.connectHost(parsed.data.url, parsed.data.token);
  return { type: 'hostConnected', hostId };
}
