import type { Clock, CloseStack } from '@earshot/async';
import type { TokenSource } from '@earshot/graph';
import { GraphTokens } from '@earshot/graph';
import type { Log } from '@earshot/telemetry';
import type { SignalingConfig } from './config.js';

/**
 * Buys tokens with the configured credential; `closers` ends it. That of the configured tenant is
 * bought now: the first call need not wait for it, and a credential that is wrong shows at once.
 */
export function openGraphTokens(options: {
  config: SignalingConfig;
  fetch: typeof globalThis.fetch;
  clock: Clock;
  random: () => number;
  log: Log;
  closers: CloseStack;
}): TokenSource {
  const { config, clock, random, log, closers, fetch } = options;
  const { graph: endpoints, clientId, credential, tenantId } = config;
  const tokens = new GraphTokens({
    endpoints,
    clientId,
    credential,
    clock,
    random,
    fetch,
    onRenewalFailed: (id, error) =>
      log.warn('token of Graph not renewed yet', { tenantId: id, error }),
  });
  closers.defer(async () => tokens.close());
  if (tenantId !== undefined) {
    tokens.token(tenantId).catch((error) => log.warn('no token of Graph yet', { error }));
  }
  return tokens;
}
