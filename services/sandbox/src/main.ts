import { CodedError } from '@earshot/async';
import { z } from 'zod';
import { readConfig } from './config.js';
import type { Sandbox } from './sandbox.js';
import { startSandbox } from './sandbox.js';

/** A service that can't close in this time is ended. */
const CLOSE_DEADLINE_MS = 5_000;

const connectHostSchema = z.object({
  type: z.literal('connectHost'),
  url: z.url({ protocol: /^wss?$/ }),
  token: z.string().min(1),
});

try {
  const sandbox = await startSandbox(readConfig(process.env));
  closeOnRequest(sandbox);
  process.on('message', (message) => void connectHost(sandbox, message));
  process.send?.({ type: 'ready', ...sandbox.ready });
} catch (error) {
  fail(error);
}

/** Signaling starts after the sandbox: its address comes later. */
async function connectHost(sandbox: Sandbox, message: unknown): Promise<void> {
  const parsed = connectHostSchema.safeParse(message);
  if (!parsed.success) return;
  try {
    const { hostId } = await sandbox.connectHost(parsed.data.url, parsed.data.token);
    process.send?.({ type: 'hostConnected', hostId });
  } catch (error) {
    process.send?.({ type: 'failed', code: codeOf(error), message: messageOf(error) });
  }
}

function closeOnRequest(sandbox: Sandbox): void {
  const close = (): void => {
    setTimeout(() => process.exit(1), CLOSE_DEADLINE_MS).unref();
    sandbox.close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`sandbox: ${messageOf(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', close);
  process.once('SIGINT', close);
  if (process.send !== undefined) process.once('disconnect', close);
}

function fail(error: unknown): void {
  const code = codeOf(error);
  const message = messageOf(error);
  process.stderr.write(`sandbox: ${message} (${code})\n`);
  process.exitCode = 1;
  if (process.send === undefined) process.exit();
  process.send({ type: 'failed', code, message }, () => process.exit());
}

function codeOf(error: unknown): string {
  return error instanceof CodedError ? error.code : 'internal_error';
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof CodedError && error.fix !== undefined
    ? `${error.message} ${error.fix}`
    : error.message;
}
