import { setMaxListeners } from 'node:events';
import type { Clock } from '@earshot/async';
import { CloseStack } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import type { EventPublisher } from '@earshot/events';
import { CallbackAuth } from '@earshot/graph';
import type { RateLimiter } from '@earshot/rate-limit';
import type { Registry } from '@earshot/registry';
import { HTTP_LIMITS, listen, openProxyFetch } from '@earshot/service-process';
import type { Health, Log, Metrics, Tracer } from '@earshot/telemetry';
import { createLog, createMetrics, createTracer } from '@earshot/telemetry';
import type { FastifyInstance } from 'fastify';
import { fastify } from 'fastify';
import { addAdmissionMetrics } from './admission/admission-metrics.js';
import { Audit } from './audit/audit.js';
import { CallbackVerdicts } from './callback-verdicts.js';
import { addCallbackRoute } from './callbacks.js';
import { CallbackBacklog } from './calls/callback-backlog.js';
import type { Calls } from './calls/calls.js';
import { wireCalls } from './calls/calls.js';
import type { SignalingConfig } from './config.js';
import { openGraphTokens } from './graph-tokens.js';
import { watchHealth } from './health.js';
import { addIncomingRoute } from './incoming/incoming-route.js';
import type { SignalingMetrics } from './metrics.js';
import { signalingMetrics } from './metrics.js';
import { openRedis } from './redis.js';
import { addAdmissionRoute } from './rest/admission.js';
import { guardApi } from './rest/api-door.js';
import { addAuditRoutes } from './rest/audit.js';
import { addCallControlRoutes } from './rest/call-control.js';
import { addCallRoutes } from './rest/calls.js';
import { addDeploymentRoutes } from './rest/deployment.js';
import { addEventStreamRoutes } from './rest/event-stream.js';
import { IdempotentRequests } from './rest/idempotency.js';
import { addListeningRoutes } from './rest/listening.js';
import { collectRoutes } from './rest/openapi/registered-routes.js';
import { ROUTE_DESCRIPTIONS } from './rest/openapi.js';
import { addPlayRoutes } from './rest/plays.js';
import { answerFrameworkError, answerWithProblems } from './rest/problem.js';
import { addRecordingRoutes } from './rest/recording.js';
import { addServiceRoutes } from './rest/service-routes.js';
import { addTranscriptRoutes } from './rest/transcripts.js';
import { addWebhookRoutes } from './rest/webhooks.js';
import type { Taps } from './taps/taps.js';
import { openTaps } from './taps/taps.js';
import { openTranscripts } from './transcripts/transcripts.js';

const HOST_LINK_PATH = '/v1/host-link';
const MAX_BODY_BYTES = 64 * 1024;

/** What may be given instead of the machine's own: time, chance, log and Graph's tokens. */
export interface SignalingDependencies {
  readonly clock?: Clock;
  /** A number in [0, 1). */
  readonly random?: () => number;
  readonly log?: Log;
  /** Closed by whoever made it. */
  readonly tracer?: Tracer;
  /** Gives the access token for a tenant; by default the configured credential buys it from Entra ID. */
  readonly tokens?: { token(tenantId: string): Promise<string> };
}

/** A running signaling service. */
export interface Signaling {
  /** Base URL as seen from this machine. */
  readonly url: string;
  /** Where media hosts connect. */
  readonly hostLinkUrl: string;
  /** Stops; calls go on, and are resumed by whoever starts next. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts the service and resumes the calls that are open.
 *
 * @throws CodedError `redis_unreachable`, `port_taken`, `not_listening`; nothing is left open then.
 */
export async function startSignaling(
  config: SignalingConfig,
  dependencies: SignalingDependencies = {},
): Promise<Signaling> {
  const closers = new CloseStack();
  try {
    return await start(config, dependencies, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

async function start(
  config: SignalingConfig,
  dependencies: SignalingDependencies,
  closers: CloseStack,
): Promise<Signaling> {
  const { clock = systemClock, random = Math.random } = dependencies;
  const log = dependencies.log ?? createLog({ service: 'signaling', level: config.logLevel });
  const tracer = dependencies.tracer ?? (await openTracer(config, closers));
  const closing = new AbortController();
  // Each call that publishes listens to it.
  setMaxListeners(0, closing.signal);
  const redis = await openRedis({ ...config, clock, log, tracer, closers });
  const { registry, publisher } = redis;
  const metrics = createMetrics({ service: 'signaling' });
  const counters = signalingMetrics(metrics);
  const taps = await openTaps({ config, clock, random, log, metrics, closers });
  await openTranscripts({ config, registry, clock, log, metrics: counters, closers });
  const app = fastify({
    ...HTTP_LIMITS,
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    frameworkErrors: answerFrameworkError,
    trustProxy: [...config.trustedProxies],
  });

  const backlog = new CallbackBacklog(clock);
  const outside = openProxyFetch(config.proxies);
  closers.defer(() => outside.close());
  const { fetch } = outside;
  const tokens =
    dependencies.tokens ?? openGraphTokens({ config, fetch, clock, random, log, closers });
  const calls = wireCalls({
    config,
    fetch,
    tokens,
    clock,
    random,
    log,
    tracer,
    registry,
    publisher,
    metrics: counters,
    backlog,
    server: app.server,
    hostLinkPath: HOST_LINK_PATH,
    closing: closing.signal,
    publicUrl: () => config.publicUrl ?? url,
  });
  closers.defer(() => calls.driver.close());
  closers.defer(() => calls.orphans.close());
  closers.defer(() => calls.places.close());
  closers.defer(async () => calls.directory.stop());
  addAdmissionMetrics(metrics, calls.admission);
  closers.defer(() => calls.mediaStates.close());
  const audit = new Audit({ store: registry.audit, log, metrics });
  closers.defer(() => audit.drain());
  closers.defer(() => app.close());
  app.addHook('preClose', () => calls.hostLink.close());
  app.addHook('preClose', async () => taps.hub.close());
  answerWithProblems(app, log);
  const watched = { hostLink: calls.hostLink, backlog, registry, publisher, metrics, clock, log };
  const health = watchHealth(config, watched, closers);
  addRoutes(app, {
    ...calls,
    ...taps,
    config,
    fetch,
    clock,
    log,
    tracer,
    ...redis,
    audit,
    metrics,
    counters,
    backlog,
    health,
  });

  const url = `http://${await listen(app, config.listen, 'signaling')}`;
  await registry.listenForCalls(calls.lookAt);
  calls.driver.start();
  calls.directory.start();
  calls.places.start();
  return {
    url,
    hostLinkUrl: `${url.replace(/^http/, 'ws')}${HOST_LINK_PATH}`,
    close() {
      closing.abort();
      return closers.close();
    },
  };
}

async function openTracer({ otlpEndpoint }: SignalingConfig, closers: CloseStack): Promise<Tracer> {
  const tracer = await createTracer({ service: 'signaling', endpoint: otlpEndpoint });
  closers.defer(() => tracer.close());
  return tracer;
}

interface RouteParts extends Calls, Taps {
  readonly config: SignalingConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly tracer: Tracer;
  readonly registry: Registry;
  readonly publisher: EventPublisher;
  readonly limiter: RateLimiter;
  readonly audit: Audit;
  readonly metrics: Metrics;
  readonly counters: SignalingMetrics;
  readonly backlog: CallbackBacklog;
  readonly health: Health;
  readonly fetch: typeof fetch;
}

/** Three doors: for operators and their probes, for holders of the API key, for Graph. */
function addRoutes(app: FastifyInstance, parts: RouteParts): void {
  const { config, clock, publisher, counters } = parts;
  const idempotent = new IdempotentRequests({ requests: parts.registry.requests, clock });
  const routes = collectRoutes(app, ROUTE_DESCRIPTIONS);
  addServiceRoutes(app, { ...parts, routes });
  app.register(async (scope) => {
    guardApi(scope, parts);
    addAdmissionRoute(scope, parts.admission);
    addCallRoutes(scope, {
      ...parts,
      idempotent,
      publishedOf: async (id) => (await publisher.counts(id)).published,
    });
    addCallControlRoutes(scope, { ...parts, idempotent });
    addListeningRoutes(scope, { ...parts, initial: config.listening });
    addTranscriptRoutes(scope, { ...parts, areKept: config.keepTranscriptsMs !== undefined });
    addPlayRoutes(scope, parts);
    addRecordingRoutes(scope, {
      ...parts,
      idempotent,
      publishedOf: async (id) => (await publisher.counts(id)).published,
    });
    addDeploymentRoutes(scope, parts);
    addWebhookRoutes(scope, { admin: parts.webhooks.admin, clock, idempotent });
    addEventStreamRoutes(scope, parts);
    addAuditRoutes(scope, parts.registry.audit);
  });
  app.register(async (scope) => {
    const { graph: endpoints, clientId: audience } = config;
    const checked = new CallbackAuth({ endpoints, audience, clock, fetch: parts.fetch });
    void checked.prepare();
    const auth = new CallbackVerdicts(checked, clock);
    addCallbackRoute(scope, { ...parts, auth, metrics: counters });
    addIncomingRoute(scope, { ...parts, ...config, auth, metrics: counters });
  });
}
