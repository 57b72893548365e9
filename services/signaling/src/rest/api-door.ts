import type { RateLimiter } from '@earshot/rate-limit';
import type { FastifyInstance } from 'fastify';
import type { Audit } from '../audit/audit.js';
import { auditRequests } from '../audit/audit-hook.js';
import type { SignalingConfig } from '../config.js';
import type { SignalingMetrics } from '../metrics.js';
import { requireApiKey } from './api-keys.js';
import { limitFailures, limitRequests } from './rate-limits.js';
import { requireScopes } from './scopes.js';

/** What the door stands on. */
export interface ApiDoorOptions {
  readonly config: SignalingConfig;
  readonly limiter: RateLimiter;
  readonly audit: Audit;
  readonly counters: SignalingMetrics;
}

/**
 * Who comes to the routes of `app`, all of them registered later: holders of a key, not too often,
 * to what their key allows. What they change is audited.
 */
export function guardApi(app: FastifyInstance, options: ApiDoorOptions): void {
  const { config, limiter, audit, counters } = options;
  const limits = {
    limiter,
    perKey: config.rateLimit,
    failures: config.authFailureLimit,
    refusals: counters.rateLimited,
  };
  requireApiKey(app, config.apiKeys, limitFailures(limits));
  limitRequests(app, limits);
  requireScopes(app);
  auditRequests(app, audit);
}
