import { CodedError } from '@earshot/async';
import { readConfig } from './config.js';
import type { Signaling } from './signaling.js';
import { startSignaling } from './signaling.js';

/** A service that can't close in this time is ended. */
const CLOSE_DEADLINE_MS = 5_000;

try {
  const signaling = await startSignaling(readConfig(process.env));
  closeOnRequest(signaling);
  process.send?.({ type: 'ready', url: signaling.url, hostLinkUrl: signaling.hostLinkUrl });
} catch (error) {
  fail(error);
}

function closeOnRequest(signaling: Signaling): void {
  const close = (): void => {
    setTimeout(() => process.exit(1), CLOSE_DEADLINE_MS).unref();
    signaling.close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`signaling: ${messageOf(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', close);
  process.once('SIGINT', close);
  if (process.send !== undefined) process.once('disconnect', close);
}

function fail(error: unknown): void {
  const code = error instanceof CodedError ? error.code : 'internal_error';
  const fix = error instanceof CodedError && error.fix !== undefined ? ` ${error.fix}` : '';
  const message = `${messageOf(error)}${fix}`;
  process.stderr.write(`signaling: ${message} (${code})\n`);
  process.exitCode = 1;
  if (process.send === undefined) process.exit();
  process.send({ type: 'failed', code, message }, () => process.exit());
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
